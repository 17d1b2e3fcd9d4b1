/*
 * Runtime: division of 128-bit integers, on top of the instruction that divides 128 bits by 64.
 * Compilers call these for / and % of __int128. Signed ones round towards zero, as C does.
 */
#include "integer_calls.h"
#include "wide.h"

#include <stddef.h>

/* Schoolbook, with digits of 64 bits: each remainder is the high half of the next dividend. */
static __uint128_t divide_by_low(__uint128_t dividend, uint64_t divisor, __uint128_t *remainder)
{
    uint64_t rest;
    const uint64_t high = wide_divide(0, wide_high(dividend), divisor, &rest);
    const uint64_t low = wide_divide(rest, wide_low(dividend), divisor, &rest);

    *remainder = rest;
    return wide(high, low);
}

/*
 * The divisor has a high half, so the quotient has at most 64 bits. One division by the divisor's
 * top 64 bits gives an estimate that is right or one too large; one less is then right or one too
 * small, and the remainder tells.
 * [Warren, Hacker's Delight, 2nd edition, §9-5 "Doubleword Division from Long Division"]
 */
static __uint128_t divide_by_wide(__uint128_t dividend, __uint128_t divisor, __uint128_t *remainder)
{
    const int zeros = __builtin_clzll(wide_high(divisor));
    uint64_t ignored;
    uint64_t quotient = wide_divide(wide_high(dividend) >> 1, wide_low(dividend >> 1),
                                    wide_high(divisor << zeros), &ignored);

    quotient >>= 63 - zeros;
    if (quotient > 0)
        quotient--;
    dividend -= quotient * divisor;
    if (dividend >= divisor) {
        dividend -= divisor;
        quotient++;
    }
    *remainder = dividend;
    return quotient;
}

static inline __uint128_t divide(__uint128_t dividend, __uint128_t divisor, __uint128_t *remainder)
{
    if (wide_high(divisor) == 0)
        return divide_by_low(dividend, wide_low(divisor), remainder);
    return divide_by_wide(dividend, divisor, remainder);
}

static inline __uint128_t magnitude(__int128_t value)
{
    return value < 0 ? -(__uint128_t)value : (__uint128_t)value;
}

static inline __int128_t with_sign(__uint128_t value, int negative)
{
    return (__int128_t)(negative ? -value : value);
}

__uint128_t __udivmodti4(__uint128_t dividend, __uint128_t divisor, __uint128_t *remainder)
{
    __uint128_t rest;
    const __uint128_t quotient = divide(dividend, divisor, &rest);

    if (remainder != NULL)
        *remainder = rest;
    return quotient;
}

__uint128_t __udivti3(__uint128_t dividend, __uint128_t divisor)
{
    __uint128_t rest;

    return divide(dividend, divisor, &rest);
}

__uint128_t __umodti3(__uint128_t dividend, __uint128_t divisor)
{
    __uint128_t rest;

    divide(dividend, divisor, &rest);
    return rest;
}

__int128_t __divmodti4(__int128_t dividend, __int128_t divisor, __int128_t *remainder)
{
    __uint128_t rest;
    const __uint128_t quotient = divide(magnitude(dividend), magnitude(divisor), &rest);

    *remainder = with_sign(rest, dividend < 0);
    return with_sign(quotient, (dividend < 0) != (divisor < 0));
}

__int128_t __divti3(__int128_t dividend, __int128_t divisor)
{
    __uint128_t rest;

    return with_sign(divide(magnitude(dividend), magnitude(divisor), &rest),
                     (dividend < 0) != (divisor < 0));
}

__int128_t __modti3(__int128_t dividend, __int128_t divisor)
{
    __uint128_t rest;

    divide(magnitude(dividend), magnitude(divisor), &rest);
    return with_sign(rest, dividend < 0);
}
