/*
 * Numbers that the processor has no instruction for: what the compiler makes of them are calls to
 * kernel/runtime, without registers for floating point.
 */
#include "test.h"

#include <stdint.h>

__extension__ typedef unsigned __int128 wide;

/* Not to be worked out by the compiler. */
static volatile uint64_t high = 0x0123456789ABCDEF;
static volatile uint64_t low = 0xFEDCBA9876543210;
static volatile uint64_t divisor = 1000000007;

KERNEL_TEST(numbers_of_128_bits_are_divided)
{
    wide number = (wide)high << 64 | low;
    wide quotient = number / divisor;
    wide rest = number % divisor;

    KERNEL_EXPECT(rest < divisor);
    KERNEL_EXPECT(quotient * divisor + rest == number);
    KERNEL_EXPECT((uint64_t)(quotient >> 64) == high / divisor);
}

KERNEL_TEST(numbers_of_128_bits_are_divided_with_a_sign)
{
    __extension__ __int128 number = -((__int128)high << 32);

    KERNEL_EXPECT(number / (int64_t)divisor < 0);
    KERNEL_EXPECT(number / (int64_t)divisor * (int64_t)divisor + number % (int64_t)divisor ==
                  number);
}
