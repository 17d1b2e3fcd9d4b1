/*
 * What a kernel of another protocol is told: one block of memory that its structures are built in.
 * All these kernels are entered without paging, so every address that they are given is physical.
 */
#ifndef BOOTLOADER_CORE_INFORMATION_H
#define BOOTLOADER_CORE_INFORMATION_H

#include <stdint.h>

struct bootinfo_module;
struct loader;

/* It lies below 640 KiB where there is room, as kernels expect that: then it is built elsewhere,
   and moved last, as the firmware is still there. */
struct information {
    uint64_t paddr; /* where the kernel finds it */
    uint8_t *start; /* where it is built */
    uint64_t bytes;
    uint64_t used;
};

/* While the firmware is there: learn what it knows (loader->info, a struct bootinfo that no kernel
   sees), set the video mode that was asked for, and take the memory that the jump needs. */
void information_start(struct loader *loader);

/* And then that of a block with room for `bytes` in its parts. */
void information_take(struct loader *loader, uint64_t bytes);

/* Ranges that the kernel's memory map will have at most. */
uint64_t information_map_ranges(const struct loader *loader);

/* Leave the firmware; then the memory map is what the kernel is told: nothing in it is taken. The
   block may be filled afterwards, but nothing may fail any more for want of room. */
void information_leave(struct loader *loader);

/* The next part of the block, zeroed, at a multiple of 8; fails when it has grown too small. */
void *information_add(struct loader *loader, uint64_t bytes);

/* A copy of these bytes in the block; returns its physical address. */
uint32_t information_copy(struct loader *loader, const void *data, uint64_t bytes);

/* A module's name, and behind a blank its arguments if it has any, in the block; and the bytes that
   those of all modules take. Returns the physical address. */
uint32_t information_copy_module_text(struct loader *loader, const struct bootinfo_module *module);
/* The same at `text`, unless that is NULL; returns the bytes that it takes, with the 0 at its end.
 */
uint64_t information_module_text(const struct bootinfo_module *module, char *text);
uint64_t information_module_text_bytes(const struct loader *loader);

/* Where the kernel finds what lies in the block. */
uint32_t information_paddr(const struct loader *loader, const void *part);

/* The kernel's command line, never NULL, and its bytes with the 0 at its end. */
const char *information_command_line(const struct loader *loader, uint64_t *bytes);

/* A number of type enum bootinfo_memory as the type that E820 has for it [ACPI §15.3 "UEFI
   GetMemoryMap() Boot Services Function", "INT 15H, E820H"]. */
uint32_t information_e820_type(uint32_t type);

/* Jump to the kernel's entry in flat 32-bit protected mode. */
void information_enter(struct loader *loader, uint32_t eax, uint32_t ebx, uint32_t esi);

#endif
