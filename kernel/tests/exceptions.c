/*
 * Exceptions are caught, whatever they come from and whatever stack they come on: each test does
 * one thing that must not be, and the next one runs all the same. tests/boot/test_faults.py
 * compares what the reports say.
 */
#include "kernel.h"
#include "test.h"

#include <stdint.h>

/* Of the local APIC: where an interrupt for another processor, or this one, is asked for. */
#define X2APIC_ICR 0x830
#define APIC_ICR_LOW (*(volatile uint32_t *)0xFEE00300)
#define APIC_ICR_HIGH (*(volatile uint32_t *)0xFEE00310)
#define ICR_NMI 0x4400u

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

/* Interrupts this processor by its local APIC, and waits. [Intel SDM vol. 3 §10.6.1 "Interrupt
   Command Register (ICR)", §10.12.9] */
static void send_nmi(const struct bootinfo *info)
{
    if (info->flags & BOOTINFO_X2APIC) {
        __asm__ volatile("wrmsr"
                         :
                         : "c"(X2APIC_ICR), "a"(ICR_NMI), "d"(info->boot_cpu_apic_id)
                         : "memory");
    } else {
        APIC_ICR_HIGH = info->boot_cpu_apic_id << 24;
        APIC_ICR_LOW = ICR_NMI;
    }
    for (int i = 0; i < 1000000; i++)
        __asm__ volatile("pause");
}

/* Until IRET the processor takes no other NMI: the second one shows that there was one. */
KERNEL_TEST_SHOULD_PANIC(exceptions_nmi_1)
{
    send_nmi(info);
}

KERNEL_TEST_SHOULD_PANIC(exceptions_nmi_2)
{
    send_nmi(info);
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
