/*
 * Runtime: shifts and negation of 128-bit integers, by halves. Compilers call these when they
 * optimise for size (clang -Oz), and otherwise shift in place.
 */
#include "integer_calls.h"
#include "wide.h"

__int128_t __ashlti3(__int128_t value, int count)
{
    const uint64_t high = wide_high((__uint128_t)value), low = wide_low((__uint128_t)value);

    if (count == 0)
        return value;
    if (count >= 64)
        return (__int128_t)wide(low << (count - 64), 0);
    return (__int128_t)wide(high << count | low >> (64 - count), low << count);
}

__int128_t __lshrti3(__int128_t value, int count)
{
    const uint64_t high = wide_high((__uint128_t)value), low = wide_low((__uint128_t)value);

    if (count == 0)
        return value;
    if (count >= 64)
        return (__int128_t)wide(0, high >> (count - 64));
    return (__int128_t)wide(high >> count, high << (64 - count) | low >> count);
}

/* The complement of a negative number is not negative; what comes in is complemented to ones. */
__int128_t __ashrti3(__int128_t value, int count)
{
    return value < 0 ? ~__lshrti3(~value, count) : __lshrti3(value, count);
}

__int128_t __negti2(__int128_t value)
{
    return (__int128_t)(0 - (__uint128_t)value);
}
