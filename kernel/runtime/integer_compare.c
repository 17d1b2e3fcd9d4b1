/*
 * Runtime: comparison of 128-bit integers, by halves; 0, 1 or 2 for less, equal or greater.
 */
#include "integer_calls.h"
#include "wide.h"

int __ucmpti2(__uint128_t left, __uint128_t right)
{
    if (wide_high(left) != wide_high(right))
        return wide_high(left) < wide_high(right) ? 0 : 2;
    return 1 + (wide_low(left) > wide_low(right)) - (wide_low(left) < wide_low(right));
}

/* Turning the sign bits maps the signed order to the unsigned one. */
int __cmpti2(__int128_t left, __int128_t right)
{
    const __uint128_t sign = wide(UINT64_C(1) << 63, 0);

    return __ucmpti2((__uint128_t)left ^ sign, (__uint128_t)right ^ sign);
}
