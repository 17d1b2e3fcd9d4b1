/*
 * Reading the page tables that the loader made, from the inside: what an address leads to, with
 * which rights and which caching, without touching it (and so without faulting).
 *
 * Assumes that all RAM is mapped at BOOTINFO_PHYSICAL_MEMORY or, with 5 levels of tables, at
 * BOOTINFO_PHYSICAL_MEMORY_5; a kernel whose tables are not there faults here, and the test sees
 * the reset.
 */
#ifndef TESTS_BOOT_KERNELS_PAGE_WALK_H
#define TESTS_BOOT_KERNELS_PAGE_WALK_H

#include "bootimage/bootinfo.h"

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES 4096u
#define PAGE_PRESENT 0x1ull
#define PAGE_WRITABLE 0x2ull
#define PAGE_LARGE 0x80ull
#define PAGE_LARGEST_LEVEL 3 /* pages of 1 GiB */
#define PAGE_NO_EXECUTE (1ull << 63)
#define PAGE_ADDRESS 0x000FFFFFFFFFF000ull
#define PAGE_ENTRIES 512u

/* One page, of 4 KiB, 2 MiB or 1 GiB, with the rights of all the levels above it. */
struct page {
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t bytes;
    unsigned caching; /* entry of the PAT that it chooses */
    bool writable;
    bool executable;
};

/* Of the page tables: 5 if CR4 has LA57. */
static inline unsigned page_levels(void)
{
    uint64_t cr4;

    __asm__("mov %%cr4, %0" : "=r"(cr4));
    return (cr4 >> 12 & 1) != 0 ? 5 : 4;
}

/* Where all RAM is mapped. */
static inline uint64_t page_physical_memory(void)
{
    return page_levels() == 5 ? BOOTINFO_PHYSICAL_MEMORY_5 : BOOTINFO_PHYSICAL_MEMORY;
}

static inline unsigned page_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

/* An address with the highest of its translated bits in all bits above it, as CPUs demand. */
static inline uint64_t page_canonical(uint64_t vaddr)
{
    const unsigned unused = 64 - page_shift(page_levels() + 1);

    return (uint64_t)((int64_t)(vaddr << unused) >> unused);
}

static inline const uint64_t *page_table(uint64_t paddr)
{
    return (const uint64_t *)(page_physical_memory() + (paddr & PAGE_ADDRESS));
}

/* Whether an entry of a table of this level is a page, and not a table of the level below. */
static inline bool page_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (level <= PAGE_LARGEST_LEVEL && (entry & PAGE_LARGE) != 0);
}

/* PWT and PCD are bits 3 and 4; the PAT bit is bit 12 of large pages and bit 7 of small ones. */
static inline unsigned page_caching(uint64_t entry, unsigned level)
{
    return (unsigned)(entry >> 3 & 3) | (unsigned)(entry >> (level == 1 ? 7 : 12) & 1) << 2;
}

/* Finds the page of vaddr; false if nothing is mapped there. */
static inline bool page_find(uint64_t cr3, uint64_t vaddr, struct page *page)
{
    uint64_t table = cr3;

    page->writable = true;
    page->executable = true;
    for (unsigned level = page_levels(); level > 0; level--) {
        const unsigned shift = page_shift(level);
        const uint64_t entry = page_table(table)[vaddr >> shift & (PAGE_ENTRIES - 1)];

        if ((entry & PAGE_PRESENT) == 0)
            return false;
        page->writable = page->writable && (entry & PAGE_WRITABLE) != 0;
        page->executable = page->executable && (entry & PAGE_NO_EXECUTE) == 0;
        table = entry & PAGE_ADDRESS;
        if (page_is_leaf(entry, level)) {
            page->caching = page_caching(entry, level);
            page->bytes = 1ull << shift;
            page->vaddr = vaddr & ~(page->bytes - 1);
            page->paddr = table & ~(page->bytes - 1);
            return true;
        }
    }
    return false;
}

/* Where vaddr lies in physical memory; UINT64_MAX if it is not mapped. */
static inline uint64_t page_paddr(uint64_t cr3, uint64_t vaddr)
{
    struct page page;

    if (!page_find(cr3, vaddr, &page))
        return UINT64_MAX;
    return page.paddr + (vaddr - page.vaddr);
}

#endif
