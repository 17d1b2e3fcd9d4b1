/*
 * The kernel's address space: which physical memory it finds at which address, as bootinfo.h
 * promises.
 */
#ifndef BOOTLOADER_CORE_ADDRESS_SPACE_H
#define BOOTLOADER_CORE_ADDRESS_SPACE_H

#include "paging.h"

#include <stdint.h>

struct loader;

struct address_space {
    struct paging paging;
    uint64_t physical_memory; /* where physical address 0 is mapped */
};

/* Where the kernel finds a physical address of RAM. */
static inline uint64_t address_space_vaddr(const struct address_space *space, uint64_t paddr)
{
    return space->physical_memory + paddr;
}

/* Start with nothing mapped. */
void address_space_start(struct loader *loader);

/* Map all that bootinfo.h promises, with the stack of the boot processor, for which memory is
   taken. The hand-over page is there already. */
void address_space_map(struct loader *loader);

#endif
