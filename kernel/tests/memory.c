/*
 * The memory functions as this kernel has them: built without an operating system, called by name
 * and by the compiler. tests/unit/runtime tries them at every alignment; this is that they are
 * linked, and work on this processor.
 */
#include "runtime/runtime.h"
#include "test.h"

#include <stdint.h>

#define BYTES 4096

static uint8_t bytes[BYTES];

static void number_bytes(void)
{
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 7);
}

static bool is_numbered(const uint8_t *at, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] != (uint8_t)((first + i) * 7))
            return false;
    }
    return true;
}

KERNEL_TEST(memory_copy)
{
    uint8_t copy[100];

    number_bytes();
    memset(copy, 0, sizeof(copy));
    memcpy(copy + 1, bytes + 3, sizeof(copy) - 2);
    KERNEL_EXPECT(is_numbered(copy + 1, 3, sizeof(copy) - 2));
    KERNEL_EXPECT(copy[0] == 0 && copy[sizeof(copy) - 1] == 0);
}

KERNEL_TEST(memory_move_down_where_both_overlap)
{
    number_bytes();
    memmove(bytes, bytes + 5, BYTES - 5);
    KERNEL_EXPECT(is_numbered(bytes, 5, BYTES - 5));
}

KERNEL_TEST(memory_move_up_where_both_overlap)
{
    number_bytes();
    memmove(bytes + 5, bytes, BYTES - 5);
    KERNEL_EXPECT(is_numbered(bytes + 5, 0, BYTES - 5));
    KERNEL_EXPECT(is_numbered(bytes, 0, 5));
}

KERNEL_TEST(memory_set_takes_the_low_byte)
{
    const volatile int value = 0x1A5;

    number_bytes();
    memset(bytes + 1, value, 9);
    for (size_t i = 1; i < 10; i++)
        KERNEL_EXPECT(bytes[i] == 0xA5);
    KERNEL_EXPECT(is_numbered(bytes, 0, 1) && is_numbered(bytes + 10, 10, BYTES - 10));
}

KERNEL_TEST(memory_compare)
{
    const char abc[] = "abc", abd[] = "abd", low[] = "\x01", high[] = "\xff";

    KERNEL_EXPECT(memcmp(abc, abd, 2) == 0);
    KERNEL_EXPECT(memcmp(abc, abd, 3) < 0);
    KERNEL_EXPECT(memcmp(high, low, 1) > 0);
    KERNEL_EXPECT(bcmp(abc, abd, 3) != 0);
}

/* In .bss, which the loader has to clear. */
static uint8_t zeros[3 * BYTES];

KERNEL_TEST(memory_bss_is_zero)
{
    for (size_t i = 0; i < sizeof(zeros); i++) {
        if (zeros[i] != 0)
            panic("byte %zu of .bss is 0x%x", i, zeros[i]);
    }
}
