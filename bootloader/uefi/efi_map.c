/*
 * From descriptors to ranges. What firmware has been seen to give is expected here: descriptors
 * longer than the specification's, empty ones, types of its own, memory that is no plain RAM.
 */
#include "efi_map.h"

#include <efi.h>
#include <string.h>

/* [UEFI §7.2.3 "EFI_BOOT_SERVICES.GetMemoryMap()"] */
#define ATTRIBUTE_WB 0x8ull
#define ATTRIBUTE_SPECIFIC_PURPOSE 0x40000ull
#define MOST_PAGES (UINT64_MAX / MEMORY_PAGE_BYTES)

uint64_t efi_map_count(const struct efi_map *map)
{
    return map->descriptor_bytes < sizeof(EFI_MEMORY_DESCRIPTOR)
               ? 0
               : map->bytes / map->descriptor_bytes;
}

static uint32_t memory_type(const EFI_MEMORY_DESCRIPTOR *descriptor)
{
    switch (descriptor->Type) {
    case EfiLoaderCode:
    case EfiLoaderData:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiConventionalMemory:
        /* RAM that cannot be cached, or is set aside for somebody, is not for everybody. */
        if (!(descriptor->Attribute & ATTRIBUTE_WB) ||
            (descriptor->Attribute & ATTRIBUTE_SPECIFIC_PURPOSE))
            return BOOTINFO_MEMORY_RESERVED;
        return BOOTINFO_MEMORY_USABLE;
    case EfiRuntimeServicesCode:
    case EfiRuntimeServicesData:
        return BOOTINFO_MEMORY_EFI_RUNTIME;
    case EfiACPIReclaimMemory:
        return BOOTINFO_MEMORY_ACPI_RECLAIMABLE;
    case EfiACPIMemoryNVS:
        return BOOTINFO_MEMORY_ACPI_NVS;
    case EfiUnusableMemory:
        return BOOTINFO_MEMORY_BAD;
    default:
        return BOOTINFO_MEMORY_RESERVED;
    }
}

struct efi_range efi_map_range(const struct efi_map *map, uint64_t index)
{
    EFI_MEMORY_DESCRIPTOR descriptor;

    memcpy(&descriptor, map->descriptors + index * map->descriptor_bytes, sizeof(descriptor));
    uint64_t pages = descriptor.NumberOfPages;
    struct efi_range range = {
        .paddr = descriptor.PhysicalStart & ~(MEMORY_PAGE_BYTES - 1),
        .bytes = pages > MOST_PAGES ? 0 - MEMORY_PAGE_BYTES : pages * MEMORY_PAGE_BYTES,
        .type = memory_type(&descriptor),
    };

    range.is_free =
        range.type == BOOTINFO_MEMORY_USABLE && descriptor.Type == EfiConventionalMemory;
    return range;
}

static void add(struct memory_map *to, const struct efi_range *range)
{
    if (range->bytes == 0)
        return;
    /* Not a type that firmware names for itself: the core knows it only once it is there. */
    if (range->type == BOOTINFO_MEMORY_EFI_RUNTIME)
        memory_map_set(to, range->paddr, range->bytes, range->type);
    else
        memory_map_add(to, range->paddr, range->bytes, range->type);
}

void efi_map_add(const struct efi_map *from, struct memory_map *to)
{
    for (uint64_t i = 0; i < efi_map_count(from); i++) {
        const struct efi_range range = efi_map_range(from, i);

        add(to, &range);
    }
    memory_map_retype(to, 0, UINT64_MAX, BOOTINFO_MEMORY_USABLE, MEMORY_LEASED);
}

void efi_map_add_kept(const struct efi_map *from, struct memory_map *to)
{
    for (uint64_t i = 0; i < efi_map_count(from); i++) {
        const struct efi_range range = efi_map_range(from, i);

        if (range.type != BOOTINFO_MEMORY_USABLE)
            add(to, &range);
    }
}
