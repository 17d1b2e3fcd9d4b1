/*
 * Are these bytes a root pointer of ACPI or an entry point of SMBIOS? Believed when the signature
 * and the checksums are right.
 */
#include "tables.h"

#include <bootimage/bootinfo.h>

#include <string.h>

/* [ACPI §5.2.5.3 "Root System Description Pointer (RSDP) Structure"] */
#define RSDP_REVISION 15
#define RSDP_LENGTH 20
#define RSDP_BYTES_1 TABLES_RSDP_1_BYTES
#define RSDP_BYTES_2 36
#define RSDP_REVISION_2 2
/* [SMBIOS §5.2.1 "SMBIOS 2.1 (32-bit) Entry Point"]; its last 15 bytes have a sum of their own. */
#define SMBIOS_LENGTH 5
#define SMBIOS_VERSION 6
#define SMBIOS_TABLE_BYTES 22
#define SMBIOS_TABLE_ADDRESS 24
#define SMBIOS_DMI 16
#define SMBIOS_DMI_SIGNATURE "_DMI_"
#define SMBIOS_DMI_BYTES 15
#define SMBIOS_BYTES (SMBIOS_DMI + SMBIOS_DMI_BYTES)
/* Some BIOSes say one less: an error of version 2.1 of the specification. */
#define SMBIOS_BYTES_WRONG (SMBIOS_BYTES - 1)
/* [SMBIOS §5.2.2 "SMBIOS 3.0 (64-bit) Entry Point"] */
#define SMBIOS3_LENGTH 6
#define SMBIOS3_VERSION 7
#define SMBIOS3_TABLE_BYTES 12
#define SMBIOS3_TABLE_ADDRESS 16
#define SMBIOS3_BYTES 24
/* No machine has as many structures; a length that is larger is a mistake. */
#define SMBIOS_MOST_BYTES 0x100000u

static bool sum_is_0(const uint8_t *at, uint64_t bytes)
{
    uint8_t sum = 0;

    for (uint64_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

bool tables_is_rsdp(const uint8_t *at, uint64_t room)
{
    uint32_t length;

    if (room < RSDP_BYTES_1 || memcmp(at, TABLES_RSDP, sizeof(TABLES_RSDP) - 1) ||
        !sum_is_0(at, RSDP_BYTES_1))
        return false;
    if (at[RSDP_REVISION] < RSDP_REVISION_2)
        return true;
    if (room < RSDP_BYTES_2)
        return false;
    memcpy(&length, at + RSDP_LENGTH, sizeof(length));
    return length >= RSDP_BYTES_2 && length <= room && sum_is_0(at, length);
}

bool tables_is_smbios(const uint8_t *at, uint64_t room)
{
    return room >= SMBIOS_BYTES && !memcmp(at, TABLES_SMBIOS, sizeof(TABLES_SMBIOS) - 1) &&
           (at[SMBIOS_LENGTH] == SMBIOS_BYTES || at[SMBIOS_LENGTH] == SMBIOS_BYTES_WRONG) &&
           sum_is_0(at, SMBIOS_BYTES) &&
           !memcmp(at + SMBIOS_DMI, SMBIOS_DMI_SIGNATURE, sizeof(SMBIOS_DMI_SIGNATURE) - 1) &&
           sum_is_0(at + SMBIOS_DMI, SMBIOS_DMI_BYTES);
}

bool tables_is_smbios3(const uint8_t *at, uint64_t room)
{
    return room >= SMBIOS3_BYTES && !memcmp(at, TABLES_SMBIOS3, sizeof(TABLES_SMBIOS3) - 1) &&
           at[SMBIOS3_LENGTH] >= SMBIOS3_BYTES && at[SMBIOS3_LENGTH] <= room &&
           sum_is_0(at, at[SMBIOS3_LENGTH]);
}

uint64_t tables_rsdp_bytes(const struct bootinfo *info)
{
    const uint8_t *rsdp = (const uint8_t *)(uintptr_t)info->rsdp_paddr;
    uint32_t length;

    if (!rsdp)
        return 0;
    if (rsdp[RSDP_REVISION] < RSDP_REVISION_2)
        return RSDP_BYTES_1;
    memcpy(&length, rsdp + RSDP_LENGTH, sizeof(length));
    return length;
}

void tables_find_smbios(const struct bootinfo *info, struct tables_smbios *found)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)info->smbios3_paddr;
    const bool is_3 = at != NULL;

    *found = (struct tables_smbios){0};
    if (!is_3)
        at = (const uint8_t *)(uintptr_t)info->smbios_paddr;
    if (!at)
        return;
    memcpy(&found->paddr, at + (is_3 ? SMBIOS3_TABLE_ADDRESS : SMBIOS_TABLE_ADDRESS), is_3 ? 8 : 4);
    memcpy(&found->bytes, at + (is_3 ? SMBIOS3_TABLE_BYTES : SMBIOS_TABLE_BYTES), is_3 ? 4 : 2);
    found->major = at[is_3 ? SMBIOS3_VERSION : SMBIOS_VERSION];
    found->minor = at[(is_3 ? SMBIOS3_VERSION : SMBIOS_VERSION) + 1];
    if (found->bytes > SMBIOS_MOST_BYTES)
        *found = (struct tables_smbios){0};
}
