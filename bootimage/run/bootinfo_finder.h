/*
 * The boot information of a machine that runs: struct bootinfo, found in its memory without asking
 * the kernel, which may have crashed long ago.
 */
#ifndef BOOTIMAGE_RUN_BOOTINFO_FINDER_H
#define BOOTIMAGE_RUN_BOOTINFO_FINDER_H

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The RAM of a guest below 4 GiB. */
struct guest_memory {
    /* Copy this much of physical memory. False when it cannot be read; the search ends then. */
    bool (*read)(void *context, uint64_t paddr, void *bytes, size_t count);
    void *context;
    uint64_t end_paddr; /* of that RAM */
};

struct found_bootinfo {
    uint64_t paddr;
    struct bootinfo info; /* a copy; what an older loader did not know is 0 */
};

/* Find what the loader has written. It lies near the top of that RAM on a BIOS and some way below
   it on UEFI, so the search goes down from there, page by page. False: none is there, as with most
   protocols and before the loader has come so far, or the kernel has written over it. */
bool bootinfo_find(const struct guest_memory *memory, struct found_bootinfo *found);

#endif
