/*
 * What C code makes a compiler call on the bare machine: large copies, 128-bit integers, counting
 * bits. It has to link with nothing but the runtime, and to compute the right values. All operands
 * are volatile, so that nothing is computed by the compiler.
 */
#include <stdbool.h>
#include <stdint.h>

#include "linux_start.h"

#define WIDE(high, low) ((__uint128_t)(high) << 64 | (low))

struct large {
    uint8_t bytes[5000];
};

static struct large copy_of(const struct large *large)
{
    return *large;
}

static int check_memory(int number)
{
    struct large first = {{0}}, second;
    static struct large third;

    for (unsigned int i = 0; i < sizeof(first.bytes); i++) {
        if (((volatile uint8_t *)first.bytes)[i] != 0)
            return number;
    }
    for (unsigned int i = 0; i < sizeof(first.bytes); i++)
        first.bytes[i] = (uint8_t)(i * 7);
    second = copy_of(&first);
    third = second;
    for (unsigned int i = 0; i < sizeof(first.bytes); i++) {
        if (third.bytes[i] != (uint8_t)(i * 7))
            return number + 1;
    }
    return 0;
}

static int check_unsigned(int number)
{
    volatile __uint128_t dividend = WIDE(0x0123456789ABCDEF, 0xFEDCBA9876543210);
    volatile __uint128_t small = 1000000007, large = WIDE(3, 5);
    volatile int count = 68;

    CHECK(dividend / small * small + dividend % small == dividend && dividend % small < small);
    CHECK(dividend / large * large + dividend % large == dividend && dividend % large < large);
    CHECK(small * large == WIDE(3000000021, 5000000035));
    CHECK(small << count == WIDE(1000000007ull << 4, 0));
    CHECK(dividend >> count == 0x0123456789ABCDEF >> 4);
    CHECK(__builtin_popcountll((uint64_t)dividend) == 32);
    return 0;
}

static int check_signed(int number)
{
    volatile __int128_t minus = -(__int128_t)WIDE(5, 7), seven = 7;
    __int128_t product;

    CHECK(minus / seven * seven + minus % seven == minus);
    CHECK(minus % seven <= 0 && minus % seven > -seven);
    CHECK(minus >> 64 == -6);
    CHECK(!__builtin_mul_overflow(minus, seven, &product) && product == minus * seven);
    CHECK(__builtin_mul_overflow(minus, minus, &product));
    return 0;
}

static int run_checks(void)
{
    int failed = check_memory(1);

    if (failed == 0)
        failed = check_unsigned(10);
    if (failed == 0)
        failed = check_signed(100);
    return failed & 0xFF;
}
