/*
 * The local APIC of the boot processor, and what it can send to other CPUs [Intel SDM vol. 3 §11.4
 * "Local APIC", §11.12 "Extended XAPIC (x2APIC)"]. Its mode is the firmware's choice, and stays
 * unless the kernel asks for another.
 */
#ifndef BOOTLOADER_CORE_APIC_H
#define BOOTLOADER_CORE_APIC_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_features;

struct apic {
    uint32_t id;
    bool is_x2apic;     /* in x2APIC mode: registers are MSRs, ids have 32 bits */
    uint64_t registers; /* physical address in xAPIC mode; 0: not usable, unless in x2APIC mode */
};

struct apic apic_find(const struct cpu_features *cpu);

/* Can it be switched to x2APIC mode? */
bool apic_can_be_x2apic(const struct apic *apic, const struct cpu_features *cpu);

/* Switch it, after the firmware was left, which may use it in its own mode. */
void apic_use_x2apic(struct apic *apic);

/* Can a CPU with this id be sent anything? */
bool apic_reaches(const struct apic *apic, uint32_t id);

/* Reset a CPU; it waits for a start-up message then. */
void apic_send_init(const struct apic *apic, uint32_t id);

/* Let a CPU that waits for it begin in real mode at the start of a page below 1 MiB. */
void apic_send_startup(const struct apic *apic, uint32_t id, uint64_t page_paddr);

#endif
