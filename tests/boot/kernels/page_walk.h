/*
 * Reading the page tables that the loader made, from the inside: what an address leads to, and with
 * which rights, without touching it (and so without faulting).
 *
 * Assumes that all RAM is mapped at BOOTINFO_PHYSICAL_MEMORY; a kernel whose tables are not there
 * faults here, and the test sees the reset.
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
#define PAGE_NO_EXECUTE (1ull << 63)
#define PAGE_ADDRESS 0x000FFFFFFFFFF000ull
#define PAGE_LEVELS 4u
#define PAGE_ENTRIES 512u

/* One page, of 4 KiB, 2 MiB or 1 GiB, with the rights of all the levels above it. */
struct page {
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t bytes;
    bool writable;
    bool executable;
};

static inline const uint64_t *page_table(uint64_t paddr)
{
    return (const uint64_t *)(BOOTINFO_PHYSICAL_MEMORY + (paddr & PAGE_ADDRESS));
}

static inline unsigned page_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

/* Finds the page of vaddr; false if nothing is mapped there. */
static inline bool page_find(uint64_t cr3, uint64_t vaddr, struct page *page)
{
    uint64_t table = cr3;

    page->writable = true;
    page->executable = true;
    for (unsigned level = PAGE_LEVELS; level > 0; level--) {
        const unsigned shift = page_shift(level);
        const uint64_t entry = page_table(table)[vaddr >> shift & (PAGE_ENTRIES - 1)];

        if ((entry & PAGE_PRESENT) == 0)
            return false;
        page->writable = page->writable && (entry & PAGE_WRITABLE) != 0;
        page->executable = page->executable && (entry & PAGE_NO_EXECUTE) == 0;
        table = entry & PAGE_ADDRESS;
        if (level == 1 || (level < PAGE_LEVELS && (entry & PAGE_LARGE) != 0)) {
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
