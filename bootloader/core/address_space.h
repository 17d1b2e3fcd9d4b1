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
    uint32_t levels;          /* of page tables: 4 or 5 */
    uint64_t physical_memory; /* where physical address 0 is mapped */
    uint64_t ram_end;         /* physical addresses from here on are not mapped there */
    uint32_t recursive_entry; /* 0: none */
    bool has_plain_stacks;    /* stacks have no address but that of their memory */
    struct paging paging;
};

/* Where the kernel finds a physical address of RAM. */
static inline uint64_t address_space_vaddr(const struct address_space *space, uint64_t paddr)
{
    return space->physical_memory + paddr;
}

/* Before placement: decide on the levels and where all memory will be mapped. Fails when the CPU
   cannot do what the kernel asks for, unless that is optional. */
void address_space_choose(struct loader *loader);

/* Start with nothing mapped. */
void address_space_start(struct loader *loader);

/* Map the kernel's own pages. */
void address_space_map_kernel(struct loader *loader);

/* Take and map the stack of a CPU: 0 is the boot processor. Each has a page below that is not
   mapped, unless the stacks are plain. Returns its end. */
uint64_t address_space_map_stack(struct loader *loader, uint64_t index);

/* Map all that bootinfo.h promises, but for the stacks of other CPUs. The hand-over page and the
   framebuffer are known. */
void address_space_map(struct loader *loader);

#endif
