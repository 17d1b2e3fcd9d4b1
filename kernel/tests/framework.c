/*
 * The tests' own framework: what a panic in one test leaves behind for the next one. That tests can
 * fail is shown by a kernel whose tests all do (tests/boot/kernels/kernel_tests/failing.c).
 */
#include "console.h"
#include "segments.h"
#include "test.h"

#include <stdint.h>

#define FLAG_DIRECTION 0x400ul
#define FLAG_ALIGNMENT 0x40000ul

static unsigned int run_count;
static const char *volatile nowhere = (const char *)0x10;

static uint64_t flags(void)
{
    uint64_t value;

    __asm__ volatile("pushfq; pop %0" : "=r"(value));
    return value;
}

KERNEL_TEST_SHOULD_PANIC(framework_1_panic)
{
    run_count++;
    panic("%s, as it should", "a panic");
}

/* These names come one after the other. */
KERNEL_TEST(framework_2_state_is_kept)
{
    KERNEL_EXPECT(run_count == 1);
}

KERNEL_TEST_SHOULD_PANIC(framework_3_panic_with_flags)
{
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; ud2"
                     :
                     : "i"(FLAG_DIRECTION | FLAG_ALIGNMENT)
                     : "memory", "cc");
}

KERNEL_TEST(framework_4_flags_are_as_before)
{
    KERNEL_EXPECT((flags() & (FLAG_DIRECTION | FLAG_ALIGNMENT)) == 0);
}

/* Each report of a panic counts, and the third ends an ordinary kernel: but not across tests. */
KERNEL_TEST_SHOULD_PANIC(framework_5_report_that_fails)
{
    panic("%s", nowhere);
}

KERNEL_TEST_SHOULD_PANIC(framework_6_report_that_fails_again)
{
    panic("%s", nowhere);
}

/* A page fault comes on a stack of its own, for which the processor may clear SS. */
KERNEL_TEST(framework_7_stack_segment_is_as_before)
{
    uint64_t selector;

    __asm__ volatile("mov %%ss, %0" : "=r"(selector));
    KERNEL_EXPECT(selector == SEGMENT_DATA);
}

KERNEL_TEST(framework_8_lines_that_are_not_ended)
{
    console_print("ok 1 - not a result, and no end of the line");
}
