/*
 * The few instructions for which C has no words, and what CPUID tells.
 */
#ifndef BOOTLOADER_CORE_CPU_H
#define BOOTLOADER_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_LEAF_EXTENDED 0x80000001
#define CPU_EDX_NX (1u << 20)
#define CPU_EDX_1GIB_PAGES (1u << 26)

/* The time stamp counter. */
static inline uint64_t cpu_read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Does leaf 0x80000001 of CPUID, which every 64-bit CPU has, set this bit of EDX? */
static inline bool cpu_has(uint32_t edx_bit)
{
    uint32_t eax = CPU_LEAF_EXTENDED, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx & edx_bit;
}

#endif
