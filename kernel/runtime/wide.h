/*
 * Runtime: halves of 128-bit integers, and the one instruction that C has no operator for.
 *
 * The functions that carry out an operation on 128 bits must not use the operator of the same name:
 * the compiler might turn it into a call of just that function.
 */
#ifndef RUNTIME_WIDE_H
#define RUNTIME_WIDE_H

#include <stdint.h>

static inline uint64_t wide_high(__uint128_t value)
{
    return (uint64_t)(value >> 64);
}

static inline uint64_t wide_low(__uint128_t value)
{
    return (uint64_t)value;
}

static inline __uint128_t wide(uint64_t high, uint64_t low)
{
    return (__uint128_t)high << 64 | low;
}

/* high:low / divisor; #DE unless high < divisor. */
static inline uint64_t wide_divide(uint64_t high, uint64_t low, uint64_t divisor,
                                   uint64_t *remainder)
{
    uint64_t quotient;

    __asm__("divq %[divisor]"
            : "=a"(quotient), "=d"(*remainder)
            : "a"(low), "d"(high), [divisor] "r"(divisor)
            : "cc");
    return quotient;
}

#endif
