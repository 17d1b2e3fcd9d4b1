/*
 * What CPUID tells of the CPU [Intel SDM vol. 2 "CPUID--CPU Identification"]; all 64-bit CPUs have
 * leaf 0x80000001.
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

/* [Intel SDM vol. 3 §10.4.3 "Enabling or Disabling the Local APIC"] */
#define LEAF_VERSION 1
#define VERSION_EDX_APIC (1u << 9)
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC 0x400u
#define APIC_BASE_PADDR 0xfffffffff000ull
#define APIC_ID_REGISTER 0x20
#define APIC_ID_SHIFT 24
#define MSR_X2APIC_ID 0x802

static uint64_t read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

/* From the APIC itself: firmware may have given it another id than CPUID tells. */
static void ask_apic(struct cpu_features *features)
{
    if (!(cpu_id(LEAF_VERSION, 0).edx & VERSION_EDX_APIC))
        return;
    uint64_t base = read_msr(MSR_APIC_BASE);
    features->has_x2apic = base & APIC_BASE_X2APIC;
    if (features->has_x2apic) {
        features->apic_id = (uint32_t)read_msr(MSR_X2APIC_ID);
    } else {
        uintptr_t at = (uintptr_t)(base & APIC_BASE_PADDR) + APIC_ID_REGISTER;

        features->apic_id = *(const volatile uint32_t *)at >> APIC_ID_SHIFT;
    }
}

struct cpu_features cpu_features(void)
{
    uint32_t extended = cpu_id(LEAF_EXTENDED, 0).edx;
    struct cpu_features features = {
        .has_nx = extended & EXTENDED_EDX_NX,
        .has_1gib = extended & EXTENDED_EDX_1GIB,
        .address_bits = DEFAULT_ADDRESS_BITS,
    };

    if (cpu_id(0, 0).eax >= LEAF_FEATURES)
        features.has_5_levels = cpu_id(LEAF_FEATURES, 0).ecx & FEATURES_ECX_LA57;
    if (cpu_id(LEAF_MOST_EXTENDED, 0).eax >= LEAF_ADDRESS_BITS)
        features.address_bits = cpu_id(LEAF_ADDRESS_BITS, 0).eax & 0xff;
    if (features.address_bits > MOST_ADDRESS_BITS)
        features.address_bits = MOST_ADDRESS_BITS;
    ask_apic(&features);
    return features;
}
