/*
 * Runtime: float and double to integers, by cutting the fraction off.
 *
 * C leaves a value that does not fit undefined. These saturate, as compiler-rt's do: the result is
 * the nearest integer of the type; a NaN counts as the infinity of its sign.
 *
 * [IEEE 754-2008 §5.8 "convertToIntegerTowardZero"]
 */
#include "float_calls.h"
#include "float_number.h"

/* The magnitude's integer part, or 2^bits - 1 if it has more than that many bits. */
static inline __uint128_t truncate(struct float_number number, int bits)
{
    if (number.kind == FLOAT_ZERO || (number.kind == FLOAT_FINITE && number.exponent < 0))
        return 0;
    if (number.kind != FLOAT_FINITE || number.exponent >= bits)
        return ~(__uint128_t)0 >> (128 - bits);
    if (number.exponent < 64)
        return number.significand >> (63 - number.exponent);
    return (__uint128_t)number.significand << (number.exponent - 63);
}

static inline __uint128_t to_unsigned(struct float_number number, int bits)
{
    return number.negative ? 0 : truncate(number, bits);
}

/* Of all values with the exponent bits - 1 only -2^(bits - 1) fits, and the others become it. */
static inline __int128_t to_signed(struct float_number number, int bits)
{
    const bool overflow = (number.kind == FLOAT_FINITE && number.exponent >= bits - 1) ||
                          number.kind == FLOAT_INFINITE || number.kind == FLOAT_NAN;
    const __uint128_t magnitude = truncate(number, bits - 1) + (overflow && number.negative);

    return (__int128_t)(number.negative ? -magnitude : magnitude);
}

#define DEFINE(single_name, double_name, type, to)                                                 \
    type single_name(uint32_t value)                                                               \
    {                                                                                              \
        return (type)to(float_unpack(FLOAT_SINGLE, value), 8 * (int)sizeof(type));                 \
    }                                                                                              \
    type double_name(uint64_t value)                                                               \
    {                                                                                              \
        return (type)to(float_unpack(FLOAT_DOUBLE, value), 8 * (int)sizeof(type));                 \
    }

DEFINE(__fixsfsi, __fixdfsi, int32_t, to_signed)
DEFINE(__fixsfdi, __fixdfdi, int64_t, to_signed)
DEFINE(__fixsfti, __fixdfti, __int128_t, to_signed)
DEFINE(__fixunssfsi, __fixunsdfsi, uint32_t, to_unsigned)
DEFINE(__fixunssfdi, __fixunsdfdi, uint64_t, to_unsigned)
DEFINE(__fixunssfti, __fixunsdfti, __uint128_t, to_unsigned)
