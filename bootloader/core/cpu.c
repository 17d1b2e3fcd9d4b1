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
    return features;
}
