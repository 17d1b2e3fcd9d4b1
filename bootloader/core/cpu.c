/*
 * What CPUID tells of the CPU [Intel SDM vol. 2 "CPUID--CPU Identification"]; all 64-bit CPUs have
 * leaf 0x80000001. And what no program of an operating system may do.
 */
#include "cpu.h"

#define LEAF_FEATURES 7
#define LEAF_MOST_EXTENDED 0x80000000
#define LEAF_EXTENDED 0x80000001
#define LEAF_ADDRESS_BITS 0x80000008
#define FEATURES_ECX_LA57 (1u << 16)
#define EXTENDED_EDX_NX (1u << 20)
#define EXTENDED_EDX_1GIB (1u << 26)
/* Of CPUs that do not tell, and the most that page tables can hold. */
#define DEFAULT_ADDRESS_BITS 36
#define MOST_ADDRESS_BITS 52

#define LEAF_VERSION 1
#define VERSION_EDX_APIC (1u << 9)
#define VERSION_EDX_MTRR (1u << 12)
#define VERSION_ECX_X2APIC (1u << 21)
#define VERSION_EBX_APIC_ID_SHIFT 24
/* Faster than any time stamp counter: waits come out longer, never shorter. */
#define MOST_TICKS_PER_US 6000

struct cpu_features cpu_features(void)
{
    const struct cpu_id version = cpu_id(LEAF_VERSION, 0);
    uint32_t extended = cpu_id(LEAF_EXTENDED, 0).edx;
    struct cpu_features features = {
        .has_nx = extended & EXTENDED_EDX_NX,
        .has_1gib = extended & EXTENDED_EDX_1GIB,
        .has_apic = version.edx & VERSION_EDX_APIC,
        .has_x2apic = version.ecx & VERSION_ECX_X2APIC,
        .has_mtrrs = version.edx & VERSION_EDX_MTRR,
        .initial_apic_id = version.ebx >> VERSION_EBX_APIC_ID_SHIFT,
        .address_bits = DEFAULT_ADDRESS_BITS,
    };

    if (cpu_id(0, 0).eax >= LEAF_FEATURES)
        features.has_5_levels = cpu_id(LEAF_FEATURES, 0).ecx & FEATURES_ECX_LA57;
    if (cpu_id(LEAF_MOST_EXTENDED, 0).eax >= LEAF_ADDRESS_BITS)
        features.address_bits = cpu_id(LEAF_ADDRESS_BITS, 0).eax & 0xff;
    if (features.address_bits > MOST_ADDRESS_BITS)
        features.address_bits = MOST_ADDRESS_BITS;
    return features;
}

uint64_t cpu_read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

void cpu_write_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(number));
}

void cpu_wait_us(uint32_t us)
{
    const uint64_t start = cpu_read_tsc();

    while (cpu_read_tsc() - start < (uint64_t)us * MOST_TICKS_PER_US)
        __asm__ volatile("pause");
}
