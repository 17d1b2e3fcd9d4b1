/*
 * Tests for kernel/test.h that fail, each in another way, and a few between them that pass: what
 * went wrong in one must not be seen in the next. test_kernel_tests.py knows the lines of this file
 * by what they hold.
 */
#include "console.h"
#include "test.h"

#include <stdint.h>

/* Nothing that the compiler could know. */
static volatile unsigned int zero;
static volatile uintptr_t page_0 = 0x10;

KERNEL_TEST(a_passes)
{
    KERNEL_EXPECT(info->magic == BOOTINFO_MAGIC);
}

KERNEL_TEST(b_expectations)
{
    KERNEL_EXPECT(zero == 1);
    KERNEL_EXPECT(zero == 0);
    console_print("no end of this line");
    KERNEL_EXPECT(zero != 0);
}

KERNEL_TEST(c_page_fault)
{
    zero = *(volatile uint8_t *)page_0;
}

KERNEL_TEST(d_passes)
{
}

KERNEL_TEST_SHOULD_PANIC(e_does_not_panic)
{
}

KERNEL_TEST(f_panic)
{
    panic("%u bottles", 99u);
}

KERNEL_TEST_SHOULD_PANIC(g_panics_but_expects)
{
    KERNEL_EXPECT(zero == 2);
    panic("as it should");
}

static unsigned int dig(unsigned int depth)
{
    volatile unsigned int here = depth;

    if (zero == 1)
        return depth;
    return dig(depth + 1) + here;
}

KERNEL_TEST(h_stack_overflow)
{
    zero = dig(0);
}

KERNEL_TEST(i_invalid_opcode)
{
    __asm__ volatile("ud2");
}

KERNEL_TEST(j_division)
{
    zero = 100 / zero;
}

KERNEL_TEST(k_passes)
{
}
