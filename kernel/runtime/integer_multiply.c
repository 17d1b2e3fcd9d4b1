/*
 * Runtime: multiplication of 128-bit integers, and multiplication that tells of an overflow.
 * Compilers call these for * of __int128, for __builtin_mul_overflow() and under sanitizers.
 */
#include "integer_calls.h"
#include "wide.h"

#include <stdbool.h>

/* The product of the high halves lies above bit 127 as a whole. */
static inline __uint128_t multiply(__uint128_t left, __uint128_t right)
{
    const __uint128_t low = (__uint128_t)wide_low(left) * wide_low(right);
    const uint64_t cross = wide_high(left) * wide_low(right) + wide_low(left) * wide_high(right);

    return wide(wide_high(low) + cross, wide_low(low));
}

/* Whether left * right needs more than 128 bits. */
static inline bool overflows(__uint128_t left, __uint128_t right)
{
    __uint128_t cross, low;

    if (wide_high(left) != 0 && wide_high(right) != 0)
        return true;
    /* At most one of the two terms is not 0, so neither sum can carry out of 128 bits. */
    cross = (__uint128_t)wide_high(left) * wide_low(right) +
            (__uint128_t)wide_high(right) * wide_low(left);
    low = (__uint128_t)wide_low(left) * wide_low(right);
    return wide_high(cross + wide_high(low)) != 0;
}

static inline __uint128_t magnitude(__int128_t value)
{
    return value < 0 ? -(__uint128_t)value : (__uint128_t)value;
}

__int128_t __multi3(__int128_t left, __int128_t right)
{
    return (__int128_t)multiply((__uint128_t)left, (__uint128_t)right);
}

__int128_t __muloti4(__int128_t left, __int128_t right, int *overflow)
{
    const bool negative = (left < 0) != (right < 0);
    const __uint128_t largest = ((__uint128_t)1 << 127) - !negative;
    const __uint128_t product = multiply(magnitude(left), magnitude(right));

    *overflow = overflows(magnitude(left), magnitude(right)) || product > largest;
    return (__int128_t)(negative ? -product : product);
}

int64_t __mulodi4(int64_t left, int64_t right, int *overflow)
{
    const __int128_t product = (__int128_t)left * right;

    *overflow = product != (int64_t)product;
    return (int64_t)product;
}

int32_t __mulosi4(int32_t left, int32_t right, int *overflow)
{
    const int64_t product = (int64_t)left * right;

    *overflow = product != (int32_t)product;
    return (int32_t)product;
}
