/*
 * Runtime: counting and swapping bits. GCC calls __popcountdi2() where the CPU need not have the
 * instruction; the others are for code that names them, and for compilers that count differently.
 */
#include "integer_calls.h"
#include "wide.h"

int __clzsi2(uint32_t value)
{
    return __builtin_clz(value);
}

int __clzdi2(uint64_t value)
{
    return __builtin_clzll(value);
}

int __clzti2(__uint128_t value)
{
    if (wide_high(value) != 0)
        return __builtin_clzll(wide_high(value));
    return 64 + __builtin_clzll(wide_low(value));
}

int __ctzsi2(uint32_t value)
{
    return __builtin_ctz(value);
}

int __ctzdi2(uint64_t value)
{
    return __builtin_ctzll(value);
}

int __ctzti2(__uint128_t value)
{
    if (wide_low(value) != 0)
        return __builtin_ctzll(wide_low(value));
    return 64 + __builtin_ctzll(wide_high(value));
}

int __ffssi2(uint32_t value)
{
    return value == 0 ? 0 : __builtin_ctz(value) + 1;
}

int __ffsdi2(uint64_t value)
{
    return value == 0 ? 0 : __builtin_ctzll(value) + 1;
}

int __ffsti2(__uint128_t value)
{
    return value == 0 ? 0 : __ctzti2(value) + 1;
}

/* Sums of 2, 4 and 8 neighbouring bits, side by side; the product adds the 8 bytes at the top. */
static inline int count_ones(uint64_t value)
{
    value -= value >> 1 & UINT64_C(0x5555555555555555);
    value = (value & UINT64_C(0x3333333333333333)) + (value >> 2 & UINT64_C(0x3333333333333333));
    value = (value + (value >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (int)(value * UINT64_C(0x0101010101010101) >> 56);
}

int __popcountsi2(uint32_t value)
{
    return count_ones(value);
}

int __popcountdi2(uint64_t value)
{
    return count_ones(value);
}

int __popcountti2(__uint128_t value)
{
    return count_ones(wide_high(value)) + count_ones(wide_low(value));
}

int __paritysi2(uint32_t value)
{
    return count_ones(value) & 1;
}

int __paritydi2(uint64_t value)
{
    return count_ones(value) & 1;
}

int __parityti2(__uint128_t value)
{
    return count_ones(wide_high(value) ^ wide_low(value)) & 1;
}

uint32_t __bswapsi2(uint32_t value)
{
    return __builtin_bswap32(value);
}

uint64_t __bswapdi2(uint64_t value)
{
    return __builtin_bswap64(value);
}

__uint128_t __bswapti2(__uint128_t value)
{
    return wide(__builtin_bswap64(wide_low(value)), __builtin_bswap64(wide_high(value)));
}
