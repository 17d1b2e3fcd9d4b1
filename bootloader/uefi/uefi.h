/*
 * The UEFI front end: what its files share. The names of the firmware's types and functions are
 * those of GNU-EFI's headers; no code of it is linked.
 */
#ifndef BOOTLOADER_UEFI_UEFI_H
#define BOOTLOADER_UEFI_UEFI_H

#include "../core/firmware.h"

#include <efi.h>
#undef __attribute__ /* which they define away where the compiler is not GNU */

/* The loader as the firmware started it. */
extern struct uefi {
    EFI_HANDLE image;
    EFI_SYSTEM_TABLE *system;
    EFI_BOOT_SERVICES *services; /* NULL once the firmware was left */
    EFI_LOADED_IMAGE *loaded;
} uefi;

/* Find the disk that the loader came from, and the plan on it: fills boot's plan_lba, plan_bytes,
   image_id and disk_signature. Fails when there is none. */
void disk_find(struct firmware_boot *boot);

/* The handles that have a protocol; returns how many. To be given back with FreePool(). */
UINTN handles_with(EFI_GUID *protocol, EFI_HANDLE **handles);

/* Pages of the firmware's below 4 GiB, in a multiple of `align` bytes, a power of two; fails when
   there are none. */
uint64_t memory_take(uint64_t bytes, uint64_t align);

/* Make the page tables that are in force between the firmware's and the kernel's, from memory of
   this map. */
void handover_prepare(struct memory_map *map);

/* To them, from the firmware's, which is left. */
void handover_switch(void);

/* No screen of the firmware's any more. */
void console_leave(void);

#endif
