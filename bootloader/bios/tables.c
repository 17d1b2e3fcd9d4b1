/*
 * The tables that a BIOS leaves in low memory: where the kernel finds ACPI and SMBIOS. Both are
 * found by their signatures, and believed when their checksums are right.
 */
#include "../core/firmware.h"
#include "bios.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <string.h>

/* [ACPI §5.2.5.1 "Finding the RSDP on IA-PC Systems"] */
#define EBDA_LEAST_PADDR 0x10000
#define EBDA_SEARCHED_BYTES 0x400
#define LOW_MEMORY_TOP 0xa0000
#define ACPI_PADDR 0xe0000
/* [SMBIOS §5.2 "Table convention"] */
#define SMBIOS_PADDR 0xf0000
#define BIOS_END_PADDR 0x100000
#define STEP_BYTES 16

/* [ACPI §5.2.5.3 "Root System Description Pointer (RSDP) Structure"] */
#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_REVISION 15
#define RSDP_LENGTH 20
#define RSDP_BYTES_1 20
#define RSDP_BYTES_2 36
#define RSDP_REVISION_2 2
/* [SMBIOS §5.2.1 "SMBIOS 2.1 (32-bit) Entry Point"]; its last 15 bytes have a sum of their own. */
#define SMBIOS_SIGNATURE "_SM_"
#define SMBIOS_LENGTH 5
#define SMBIOS_DMI 16
#define SMBIOS_DMI_SIGNATURE "_DMI_"
#define SMBIOS_DMI_BYTES 15
#define SMBIOS_BYTES (SMBIOS_DMI + SMBIOS_DMI_BYTES)
/* Some BIOSes say one less: an error of version 2.1 of the specification. */
#define SMBIOS_BYTES_WRONG (SMBIOS_BYTES - 1)
/* [SMBIOS §5.2.2 "SMBIOS 3.0 (64-bit) Entry Point"] */
#define SMBIOS3_SIGNATURE "_SM3_"
#define SMBIOS3_LENGTH 6
#define SMBIOS3_BYTES 24

static bool sum_is_0(const uint8_t *at, uint64_t bytes)
{
    uint8_t sum = 0;

    for (uint64_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static bool is_rsdp(const uint8_t *at, uint64_t room)
{
    uint32_t length;

    if (room < RSDP_BYTES_1 || memcmp(at, RSDP_SIGNATURE, sizeof(RSDP_SIGNATURE) - 1) ||
        !sum_is_0(at, RSDP_BYTES_1))
        return false;
    if (at[RSDP_REVISION] < RSDP_REVISION_2)
        return true;
    if (room < RSDP_BYTES_2)
        return false;
    memcpy(&length, at + RSDP_LENGTH, sizeof(length));
    return length >= RSDP_BYTES_2 && length <= room && sum_is_0(at, length);
}

static bool is_smbios(const uint8_t *at, uint64_t room)
{
    return room >= SMBIOS_BYTES && !memcmp(at, SMBIOS_SIGNATURE, sizeof(SMBIOS_SIGNATURE) - 1) &&
           (at[SMBIOS_LENGTH] == SMBIOS_BYTES || at[SMBIOS_LENGTH] == SMBIOS_BYTES_WRONG) &&
           sum_is_0(at, SMBIOS_BYTES) &&
           !memcmp(at + SMBIOS_DMI, SMBIOS_DMI_SIGNATURE, sizeof(SMBIOS_DMI_SIGNATURE) - 1) &&
           sum_is_0(at + SMBIOS_DMI, SMBIOS_DMI_BYTES);
}

static bool is_smbios3(const uint8_t *at, uint64_t room)
{
    return room >= SMBIOS3_BYTES && !memcmp(at, SMBIOS3_SIGNATURE, sizeof(SMBIOS3_SIGNATURE) - 1) &&
           at[SMBIOS3_LENGTH] >= SMBIOS3_BYTES && at[SMBIOS3_LENGTH] <= room &&
           sum_is_0(at, at[SMBIOS3_LENGTH]);
}

/* The first letters tell most places apart; without them the search takes longer than all other
   steps of a boot. */
static uint64_t find(uint64_t paddr, uint64_t end, const char *signature,
                     bool (*is_table)(const uint8_t *at, uint64_t room))
{
    uint32_t start;

    memcpy(&start, signature, sizeof(start));
    for (; paddr < end; paddr += STEP_BYTES) {
        const uint32_t *at = (const uint32_t *)(uintptr_t)paddr;

        if (*at == start && is_table((const uint8_t *)at, end - paddr))
            return paddr;
    }
    return 0;
}

static uint64_t find_rsdp(void)
{
    uint16_t segment = bios_ebda_segment;
    uint64_t ebda = (uint64_t)segment << 4;
    uint64_t found = 0;

    if (ebda >= EBDA_LEAST_PADDR && ebda <= LOW_MEMORY_TOP - EBDA_SEARCHED_BYTES)
        found = find(ebda, ebda + EBDA_SEARCHED_BYTES, RSDP_SIGNATURE, is_rsdp);
    return found ? found : find(ACPI_PADDR, BIOS_END_PADDR, RSDP_SIGNATURE, is_rsdp);
}

void firmware_describe(struct bootinfo *info)
{
    info->firmware = BOOTINFO_FIRMWARE_BIOS;
    info->rsdp_paddr = find_rsdp();
    info->smbios_paddr = find(SMBIOS_PADDR, BIOS_END_PADDR, SMBIOS_SIGNATURE, is_smbios);
    info->smbios3_paddr = find(SMBIOS_PADDR, BIOS_END_PADDR, SMBIOS3_SIGNATURE, is_smbios3);
}
