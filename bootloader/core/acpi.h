/*
 * The tables of ACPI, as far as the loader needs them: which CPUs the machine has, and which I/O
 * APICs.
 */
#ifndef BOOTLOADER_CORE_ACPI_H
#define BOOTLOADER_CORE_ACPI_H

#include <stdbool.h>
#include <stdint.h>

struct memory_map;

/* A table that was found whole and has the right checksum. */
struct acpi_table {
    const uint8_t *start; /* NULL: there is none */
    uint32_t bytes;
};

/* A CPU that the MADT lists as enabled. */
struct acpi_cpu {
    uint32_t apic_id;
    uint32_t processor_id;
};

/* The MADT that the root pointer at rsdp_paddr (0: none) leads to. Tables outside of the memory map
   or above 4 GiB are not looked at. */
struct acpi_table acpi_find_madt(uint64_t rsdp_paddr, const struct memory_map *map);

/* The next CPU of the MADT that is enabled; *offset is 0 for the first. False: there is none, or
   the table makes no sense from here on. */
bool acpi_next_cpu(const struct acpi_table *madt, uint32_t *offset, struct acpi_cpu *cpu);

/* The next I/O APIC, by the physical address of its registers. */
bool acpi_next_io_apic(const struct acpi_table *madt, uint32_t *offset, uint32_t *paddr);

#endif
