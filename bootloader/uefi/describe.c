/*
 * What else the firmware tells: its tables for operating systems, and the time.
 */
#include "../core/calendar.h"
#include "../core/tables.h"
#include "uefi.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <string.h>

/* The most that a table of these may need; the configuration table tells no sizes. */
#define MOST_TABLE_BYTES 4096

static uint64_t find_table(EFI_GUID guid, bool (*is_table)(const uint8_t *at, uint64_t room))
{
    for (UINTN i = 0; i < uefi.system->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *entry = &uefi.system->ConfigurationTable[i];

        if (memcmp(&entry->VendorGuid, &guid, sizeof(guid)) == 0 && entry->VendorTable &&
            is_table(entry->VendorTable, MOST_TABLE_BYTES))
            return (uintptr_t)entry->VendorTable;
    }
    return 0;
}

void firmware_describe(struct bootinfo *info)
{
    const EFI_GUID acpi_2 = ACPI_20_TABLE_GUID, acpi_1 = ACPI_TABLE_GUID;
    const EFI_GUID smbios = SMBIOS_TABLE_GUID, smbios3 = SMBIOS3_TABLE_GUID;

    info->firmware = BOOTINFO_FIRMWARE_UEFI;
    info->efi_system_table_paddr = (uintptr_t)uefi.system;
    info->rsdp_paddr = find_table(acpi_2, tables_is_rsdp);
    if (!info->rsdp_paddr)
        info->rsdp_paddr = find_table(acpi_1, tables_is_rsdp);
    info->smbios_paddr = find_table(smbios, tables_is_smbios);
    info->smbios3_paddr = find_table(smbios3, tables_is_smbios3);
}

int64_t firmware_wall_clock(void)
{
    EFI_TIME now;

    if (uefi.system->RuntimeServices->GetTime(&now, NULL) != EFI_SUCCESS)
        return 0;
    const struct calendar_time shown = {
        .year = now.Year,
        .month = now.Month,
        .day = now.Day,
        .hour = now.Hour,
        .minute = now.Minute,
        .second = now.Second,
    };
    return calendar_seconds(&shown);
}

UINTN handles_with(EFI_GUID *protocol, EFI_HANDLE **handles)
{
    UINTN count = 0;

    if (EFI_ERROR(uefi.services->LocateHandleBuffer(ByProtocol, protocol, NULL, &count, handles)))
        return 0;
    return count;
}

bool firmware_describe_apm(struct firmware_apm *apm)
{
    (void)apm;
    return false;
}
