/*
 * The other CPUs of the fake machine (fake_firmware.h), as ACPI's tables and the local APIC show
 * them: they answer messages as a test wants them to. Time is counted, not waited for.
 */
#ifndef TESTS_UNIT_CORE_FAKE_CPUS_H
#define TESTS_UNIT_CORE_FAKE_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The firmware's memory below 1 MiB, reserved in fake_ranges: the root pointer and tables lie
 * there. */
#define FAKE_BIOS_PADDR 0xf0000ull
#define FAKE_BIOS_BYTES 0x10000ull
#define FAKE_RSDP_PADDR 0xf5a10ull
#define FAKE_MADT_PADDR 0xf7000ull

#define FAKE_CPUS 16

/* The memory type range registers: pairs of variable ones, and what each has, less its number. */
#define FAKE_MTRR_PAIRS 2
#define FAKE_MTRR_VALUE 0x10000ull

struct fake_cpu {
    uint32_t apic_id;
    /* How it behaves: which start-up message after an INIT it follows (0: none), and how long it
       takes to park then. */
    unsigned int follows_startup;
    uint32_t parks_after_us;
    /* What it went through. */
    unsigned int inits, startups;
    uint64_t parks_at_us; /* 0: it was not started */
    uint32_t cpu_paddr;   /* what it found in the trampoline */
};

struct fake_apic {
    bool has_x2apic;
    uint64_t base; /* IA32_APIC_BASE */
    uint32_t id;
    struct fake_cpu cpus[FAKE_CPUS];
    size_t cpu_count;
    /* What was sent. */
    uint64_t now_us;
    uint64_t startup_page_paddr; /* of the last start-up message */
    unsigned int strangers;      /* messages to ids that no CPU has, or of another kind */
};
extern struct fake_apic fake_apic;

/* No table, no other CPU; a local APIC in xAPIC mode. */
void fake_cpus_start(void);

/* Let the root pointer lead to a MADT of these entries. */
void fake_madt(const void *entries, size_t bytes);

/* Write a table header with the right checksum in front of what is there already. */
void fake_table(uint64_t paddr, const char *signature, uint32_t bytes);

/* Make the bytes add up to 0, by the one at `at`. */
void fake_checksum(uint8_t *bytes, size_t count, size_t at);

#endif
