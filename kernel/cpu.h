/*
 * Single instructions of the processor that C has no words for.
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <stdint.h>

#define CPU_CR4_MCE (1ul << 6) /* machine checks raise exception 18 instead of a shutdown */

/* What LGDT and LIDT read. */
struct cpu_table {
    uint16_t limit; /* bytes of the table - 1 */
    uint64_t base;
} __attribute__((packed));

/* Stops this processor for good: interrupts stay off, and after an NMI it sleeps again. */
_Noreturn static inline void cpu_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* The address of the last page fault. */
static inline uint64_t cpu_read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t cpu_read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline void cpu_load_idt(const struct cpu_table *idt)
{
    __asm__ volatile("lidt %0" : : "m"(*idt) : "memory");
}

static inline void cpu_load_task(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

#endif
