/*
 * Runtime: arithmetic of float and double. Clang calls these for + - * / where it may use general
 * registers only. Each operation takes and gives numbers without a format (float_number.h).
 *
 * [IEEE 754-2008 §5.4.1 "Arithmetic operations", §6 "Infinity, NaNs, and sign bit"]
 */
#include "float_calls.h"
#include "float_number.h"
#include "wide.h"

/* What x86 calls the real indefinite: the result of an invalid operation. */
static const struct float_number INVALID = {
    .kind = FLOAT_NAN, .negative = true, .significand = FLOAT_QUIET_BIT};

static inline bool either_is(enum float_kind kind, struct float_number left,
                             struct float_number right)
{
    return left.kind == kind || right.kind == kind;
}

/* The left operand if both are. */
static inline struct float_number the_nan(struct float_number left, struct float_number right)
{
    return left.kind == FLOAT_NAN ? left : right;
}

static inline struct float_number special(enum float_kind kind, bool negative)
{
    return (struct float_number){.kind = kind, .negative = negative};
}

static inline bool is_smaller(struct float_number left, struct float_number right)
{
    if (left.exponent != right.exponent)
        return left.exponent < right.exponent;
    return left.significand < right.significand;
}

/*
 * Both finite. One bit of headroom for the carry leaves 10 bits below a double's last. So bits are
 * cut off only where the exponents differ by more than 10; such a sum has its leading 1 at bit 61
 * or above, and the sticky bit stays far below the rounding bit.
 */
static inline struct float_number add_finite(struct float_number large, struct float_number small)
{
    struct float_number swap = large;
    uint64_t significand;

    if (is_smaller(large, small)) {
        large = small;
        small = swap;
    }
    small.significand =
        float_shift_right_sticky(small.significand >> 1, large.exponent - small.exponent);
    large.significand >>= 1;
    if (large.negative == small.negative)
        significand = large.significand + small.significand;
    else
        significand = large.significand - small.significand;
    if (significand == 0)
        return special(FLOAT_ZERO, false);
    return float_normalised(large.negative, large.exponent + 1, significand);
}

/* Neither is NaN. */
static inline struct float_number add_numbers(struct float_number left, struct float_number right)
{
    if (left.kind == FLOAT_FINITE && right.kind == FLOAT_FINITE)
        return add_finite(left, right);
    if (left.kind == FLOAT_INFINITE && right.kind == FLOAT_INFINITE)
        return left.negative == right.negative ? left : INVALID;
    if (left.kind == FLOAT_ZERO && right.kind == FLOAT_ZERO)
        return special(FLOAT_ZERO, left.negative && right.negative);
    return left.kind == FLOAT_INFINITE || right.kind == FLOAT_ZERO ? left : right;
}

static inline struct float_number add(struct float_number left, struct float_number right)
{
    if (either_is(FLOAT_NAN, left, right))
        return the_nan(left, right);
    return add_numbers(left, right);
}

/* A NaN keeps its sign; everything else is added with the other one. */
static inline struct float_number subtract(struct float_number left, struct float_number right)
{
    if (either_is(FLOAT_NAN, left, right))
        return the_nan(left, right);
    right.negative = !right.negative;
    return add_numbers(left, right);
}

static inline struct float_number multiply(struct float_number left, struct float_number right)
{
    const bool negative = left.negative != right.negative;
    __uint128_t product;

    if (either_is(FLOAT_NAN, left, right))
        return the_nan(left, right);
    if (either_is(FLOAT_INFINITE, left, right))
        return either_is(FLOAT_ZERO, left, right) ? INVALID : special(FLOAT_INFINITE, negative);
    if (either_is(FLOAT_ZERO, left, right))
        return special(FLOAT_ZERO, negative);
    product = (__uint128_t)left.significand * right.significand;
    return float_normalised(negative, left.exponent + right.exponent + 1,
                            wide_high(product) | (wide_low(product) != 0));
}

static inline struct float_number divide(struct float_number left, struct float_number right)
{
    const bool negative = left.negative != right.negative;
    uint64_t quotient, remainder;

    if (either_is(FLOAT_NAN, left, right))
        return the_nan(left, right);
    if (left.kind == right.kind && left.kind != FLOAT_FINITE)
        return INVALID;
    if (left.kind == FLOAT_INFINITE || right.kind == FLOAT_ZERO)
        return special(FLOAT_INFINITE, negative);
    if (left.kind == FLOAT_ZERO || right.kind == FLOAT_INFINITE)
        return special(FLOAT_ZERO, negative);
    /* The quotient of the significands, times 2^63: more than 2^62, less than 2^64. */
    quotient =
        wide_divide(left.significand >> 1, left.significand << 63, right.significand, &remainder);
    return float_normalised(negative, left.exponent - right.exponent, quotient | (remainder != 0));
}

/* One function for float and one for double: unpack, compute, round into the same format. */
#define DEFINE(operation, single_name, double_name)                                                \
    uint32_t single_name(uint32_t left, uint32_t right)                                            \
    {                                                                                              \
        return (uint32_t)float_pack(FLOAT_SINGLE, operation(float_unpack(FLOAT_SINGLE, left),      \
                                                            float_unpack(FLOAT_SINGLE, right)));   \
    }                                                                                              \
    uint64_t double_name(uint64_t left, uint64_t right)                                            \
    {                                                                                              \
        return float_pack(FLOAT_DOUBLE, operation(float_unpack(FLOAT_DOUBLE, left),                \
                                                  float_unpack(FLOAT_DOUBLE, right)));             \
    }

DEFINE(add, __addsf3, __adddf3)
DEFINE(subtract, __subsf3, __subdf3)
DEFINE(multiply, __mulsf3, __muldf3)
DEFINE(divide, __divsf3, __divdf3)

uint32_t __negsf2(uint32_t value)
{
    return value ^ (uint32_t)float_sign_bit(FLOAT_SINGLE);
}

uint64_t __negdf2(uint64_t value)
{
    return value ^ float_sign_bit(FLOAT_DOUBLE);
}
