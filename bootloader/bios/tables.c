/*
 * The tables that a BIOS leaves in low memory: where the kernel finds ACPI and SMBIOS. Both are
 * found by their signatures, and believed when their checksums are right.
 */
#include "../core/tables.h"
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
        found = find(ebda, ebda + EBDA_SEARCHED_BYTES, TABLES_RSDP, tables_is_rsdp);
    return found ? found : find(ACPI_PADDR, BIOS_END_PADDR, TABLES_RSDP, tables_is_rsdp);
}

void firmware_describe(struct bootinfo *info)
{
    info->firmware = BOOTINFO_FIRMWARE_BIOS;
    if (console_shows_text())
        info->flags |= BOOTINFO_TEXT_SCREEN;
    info->rsdp_paddr = find_rsdp();
    info->smbios_paddr = find(SMBIOS_PADDR, BIOS_END_PADDR, TABLES_SMBIOS, tables_is_smbios);
    info->smbios3_paddr = find(SMBIOS_PADDR, BIOS_END_PADDR, TABLES_SMBIOS3, tables_is_smbios3);
}
