/*
 * The memory map of UEFI [UEFI §7.2 "Memory Allocation Services"], as the core has it. Asks no
 * firmware.
 */
#ifndef BOOTLOADER_UEFI_EFI_MAP_H
#define BOOTLOADER_UEFI_EFI_MAP_H

#include "../core/memory_map.h"

#include <stdint.h>

/* As GetMemoryMap() gives it. */
struct efi_map {
    const uint8_t *descriptors;
    uint64_t bytes;
    uint64_t descriptor_bytes; /* may be more than this loader knows of */
};

/* What a descriptor says, in terms of the core. */
struct efi_range {
    uint64_t paddr;
    uint64_t bytes; /* 0: nothing */
    uint32_t type;  /* BOOTINFO_MEMORY_; USABLE: once the firmware was left */
    bool is_free;   /* AllocatePages() may give it */
};

/* How many descriptors there are. */
uint64_t efi_map_count(const struct efi_map *map);

struct efi_range efi_map_range(const struct efi_map *map, uint64_t index);

/* Add all of it; what is usable becomes MEMORY_LEASED. Page 0 stays reserved. */
void efi_map_add(const struct efi_map *from, struct memory_map *to);

/* Add only what is not usable: to a map that has been handed out. */
void efi_map_add_kept(const struct efi_map *from, struct memory_map *to);

#endif
