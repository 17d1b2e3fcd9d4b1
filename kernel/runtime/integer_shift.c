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

/* GCC and Clang define >> of a negative integer to copy the sign. */
__int128_t __ashrti3(__int128_t value, int count)
{
    const uint64_t high = wide_high((__uint128_t)value), low = wide_low((__uint128_t)value);
    const int64_t sign = (int64_t)high >> 63;

    if (count == 0)
        return value;
    if (count >= 64)
        return (__int128_t)wide((uint64_t)sign, (uint64_t)((int64_t)high >> (count - 64)));
    return (__int128_t)wide((uint64_t)((int64_t)high >> count),
                            high << (64 - count) | low >> count);
}

__int128_t __negti2(__int128_t value)
{
    return (__int128_t)(0 - (__uint128_t)value);
}
