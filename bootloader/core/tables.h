/*
 * The firmware's tables for operating systems, by their first bytes.
 */
#ifndef BOOTLOADER_CORE_TABLES_H
#define BOOTLOADER_CORE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#define TABLES_RSDP "RSD PTR "
#define TABLES_SMBIOS "_SM_"
#define TABLES_SMBIOS3 "_SM3_"

/* Is it at `at`, all of it in the `room` bytes there? */
bool tables_is_rsdp(const uint8_t *at, uint64_t room);
bool tables_is_smbios(const uint8_t *at, uint64_t room);  /* of 32 bits */
bool tables_is_smbios3(const uint8_t *at, uint64_t room); /* of 64 bits */

#endif
