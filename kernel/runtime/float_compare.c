/*
 * Runtime: comparison of float and double. Clang calls these for == != < <= > >= and compares the
 * result with 0. Works on the bits: apart from the sign, they are ordered as the numbers are.
 *
 * [IEEE 754-2008 §5.11 "Details of comparison predicates"]
 */
#include "float_calls.h"
#include "float_number.h"

static inline bool is_nan(struct float_format format, uint64_t bits)
{
    return (bits & ~float_sign_bit(format)) > float_infinity(format);
}

static inline int is_unordered(struct float_format format, uint64_t left, uint64_t right)
{
    return is_nan(format, left) || is_nan(format, right);
}

/* An integer that is ordered as the number is; the same for both zeros. */
static inline int64_t order(struct float_format format, uint64_t bits)
{
    const int64_t magnitude = (int64_t)(bits & ~float_sign_bit(format));

    return (bits & float_sign_bit(format)) != 0 ? -magnitude : magnitude;
}

static inline int compare(struct float_format format, uint64_t left, uint64_t right, int unordered)
{
    const int64_t left_order = order(format, left), right_order = order(format, right);

    if (is_unordered(format, left, right))
        return unordered;
    return (left_order > right_order) - (left_order < right_order);
}

#define DEFINE(single_name, double_name, unordered)                                                \
    int single_name(uint32_t left, uint32_t right)                                                 \
    {                                                                                              \
        return compare(FLOAT_SINGLE, left, right, unordered);                                      \
    }                                                                                              \
    int double_name(uint64_t left, uint64_t right)                                                 \
    {                                                                                              \
        return compare(FLOAT_DOUBLE, left, right, unordered);                                      \
    }

DEFINE(__eqsf2, __eqdf2, 1)
DEFINE(__nesf2, __nedf2, 1)
DEFINE(__ltsf2, __ltdf2, 1)
DEFINE(__lesf2, __ledf2, 1)
DEFINE(__gtsf2, __gtdf2, -1)
DEFINE(__gesf2, __gedf2, -1)

int __unordsf2(uint32_t left, uint32_t right)
{
    return is_unordered(FLOAT_SINGLE, left, right);
}

int __unorddf2(uint64_t left, uint64_t right)
{
    return is_unordered(FLOAT_DOUBLE, left, right);
}
