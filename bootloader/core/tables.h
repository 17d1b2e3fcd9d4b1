/*
 * The firmware's tables for operating systems, by their first bytes.
 */
#ifndef BOOTLOADER_CORE_TABLES_H
#define BOOTLOADER_CORE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

struct bootinfo;

#define TABLES_RSDP "RSD PTR "
#define TABLES_SMBIOS "_SM_"
#define TABLES_SMBIOS3 "_SM3_"

/* Is it at `at`, all of it in the `room` bytes there? */
bool tables_is_rsdp(const uint8_t *at, uint64_t room);
bool tables_is_smbios(const uint8_t *at, uint64_t room);  /* of 32 bits */
bool tables_is_smbios3(const uint8_t *at, uint64_t room); /* of 64 bits */

#define TABLES_RSDP_1_BYTES 20u

/* Bytes of the root pointer that the firmware told of: TABLES_RSDP_1_BYTES of ACPI 1.0, more of a
   later one; 0: there is none. */
uint64_t tables_rsdp_bytes(const struct bootinfo *info);

/* The structures that the entry point leads to, of 64 bits where there are both; 0 bytes: none. */
struct tables_smbios {
    uint64_t paddr;
    uint64_t bytes;
    uint8_t major, minor; /* version of the specification */
};

void tables_find_smbios(const struct bootinfo *info, struct tables_smbios *found);

#endif
