/*
 * Exceptions are caught, whatever they come from and whatever stack they come on: each test does
 * one thing that must not be, and the next one runs all the same. tests/boot/test_faults.py
 * compares what the reports say.
 */
#include "kernel.h"
#include "test.h"

#include <stdint.h>

/* Nothing that the compiler could know, and warn of or leave out. */
static volatile unsigned int zero;
static volatile uintptr_t page_0 = 0x10;
static volatile uintptr_t not_canonical = 0x800000000000;
static const uint8_t constant = 1;
static uint8_t data[] = {0xC3}; /* RET */

static void store(uintptr_t address)
{
    *(volatile uint8_t *)address = 0xC3;
}

KERNEL_TEST_SHOULD_PANIC(exceptions_division_by_zero)
{
    zero = 100 / zero;
}

KERNEL_TEST_SHOULD_PANIC(exceptions_breakpoint)
{
    __asm__ volatile("int3");
}

KERNEL_TEST_SHOULD_PANIC(exceptions_invalid_opcode)
{
    __asm__ volatile("ud2");
}

KERNEL_TEST_SHOULD_PANIC(exceptions_general_protection)
{
    store(not_canonical);
}

/* Until IRET the processor takes no other NMI: the second one shows that there was one. */
KERNEL_TEST_SHOULD_PANIC(exceptions_nmi_1)
{
    __asm__ volatile("int $2");
}

KERNEL_TEST_SHOULD_PANIC(exceptions_nmi_2)
{
    __asm__ volatile("int $2");
}

KERNEL_TEST_SHOULD_PANIC(exceptions_read_of_page_0)
{
    zero = *(volatile uint8_t *)page_0;
}

KERNEL_TEST_SHOULD_PANIC(exceptions_write_to_a_constant)
{
    store((uintptr_t)&constant);
}

KERNEL_TEST_SHOULD_PANIC(exceptions_write_to_code)
{
    store((uintptr_t)kernel_main);
}

KERNEL_TEST_SHOULD_PANIC(exceptions_execution_of_data)
{
    ((void (*)(void))(uintptr_t)data)();
}

/* The condition never holds; the compiler cannot know. */
static unsigned int dig(unsigned int depth)
{
    volatile unsigned int here = depth;

    if (zero == 1)
        return depth;
    return dig(depth + 1) + here;
}

KERNEL_TEST_SHOULD_PANIC(exceptions_stack_overflow)
{
    zero = dig(0);
}

/* Runs behind the one above: the stack is whole again. */
KERNEL_TEST(exceptions_stack_overflow_is_over)
{
    uint64_t here = (uintptr_t)__builtin_frame_address(0);

    KERNEL_EXPECT(here > info->stack_top - info->stack_bytes / 2);
}
