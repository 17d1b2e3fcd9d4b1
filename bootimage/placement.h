/*
 * Where the segments of a kernel go: regions of memory, and the rights of their pages.
 *
 * A region is what has to stay together: segments with the same distance between p_paddr and
 * p_vaddr, and small gaps. Pages that two segments share have the rights of both; pages that are
 * writable for the sake of PT_GNU_RELRO only are not.
 */
#ifndef BOOTIMAGE_PLACEMENT_H
#define BOOTIMAGE_PLACEMENT_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_PAGE_BYTES 4096u

struct placement_region {
    uint64_t vaddr; /* page-aligned, as all below */
    uint64_t bytes;
    uint64_t paddr;       /* or PLAN_PADDR_ANYWHERE */
    size_t first_segment; /* in struct kernel */
    size_t segment_count;
    size_t first_mapping; /* in struct placement */
    size_t mapping_count;
};

struct placement_mapping {
    uint64_t vaddr;
    uint64_t bytes;
    bool writable;
    bool executable;
};

struct placement {
    struct placement_region *regions;
    size_t region_count;
    struct placement_mapping *mappings;
    size_t mapping_count;
    bool fixed; /* the physical addresses in the file mean something */
    /* Pages writable and executable only because segments share them, and the first of them. */
    size_t mixed_page_count;
    uint64_t mixed_page_vaddr;
};

/* First page that a segment touches, and the end of its last one. The segment must not touch the
   last page of the address space. */
uint64_t placement_page_start(const struct kernel_segment *segment);
uint64_t placement_page_end(const struct kernel_segment *segment);

/* kernel's segments must share no byte and fulfil placement_page_end(). Fails without memory only.
 */
bool placement_build(struct placement *placement, const struct kernel *kernel, struct error *error);

void placement_free(struct placement *placement);

#endif
