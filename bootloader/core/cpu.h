/*
 * The few instructions for which C has no words, and what CPUID tells.
 */
#ifndef BOOTLOADER_CORE_CPU_H
#define BOOTLOADER_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel's page tables depend on, and which CPU this is. */
struct cpu_features {
    bool has_nx;
    bool has_1gib; /* pages of 1 GiB */
    bool has_5_levels;
    bool has_apic;             /* a local one */
    bool has_x2apic;           /* which can be switched to that mode */
    bool has_mtrrs;            /* memory type range registers */
    unsigned int address_bits; /* of physical addresses, MAXPHYADDR */
    uint32_t initial_apic_id;  /* which the firmware may have changed */
};

/* cpu.c; the tests have these of their own. */
struct cpu_features cpu_features(void);
uint64_t cpu_read_msr(uint32_t number);
void cpu_write_msr(uint32_t number, uint64_t value);
/* At least so many microseconds; several times as many where the time stamp counter is slow. */
void cpu_wait_us(uint32_t us);

/* The time stamp counter. */
static inline uint64_t cpu_read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

struct cpu_id {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpu_id cpu_id(uint32_t leaf, uint32_t subleaf)
{
    struct cpu_id id;
    __asm__("cpuid"
            : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
            : "a"(leaf), "c"(subleaf));
    return id;
}

#endif
