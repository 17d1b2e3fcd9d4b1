/*
 * See page_walk.h. An entry that a CPU would not take, or with a bit that the loader has no use
 * for, ends the program.
 */
#include "page_walk.h"

#include <stdio.h>
#include <stdlib.h>

#define PRESENT (1ull << 0)
#define WRITABLE (1ull << 1)
#define PWT (1ull << 3)
#define PCD (1ull << 4)
#define LARGE (1ull << 7)
#define SMALL_PAT (1ull << 7)
#define LARGE_PAT (1ull << 12)
#define NO_EXECUTE (1ull << 63)
#define ADDRESS 0xffffffffff000ull

#define PAGE_SHIFT 12
#define INDEX_BITS 9
#define INDEX_MASK 511u

static bool is_page(uint64_t entry, unsigned int shift)
{
    return shift == PAGE_SHIFT || entry & LARGE;
}

/* The address that an entry holds: the bit of large pages for the PAT lies within it. */
static uint64_t address(uint64_t entry, unsigned int shift)
{
    bool is_large = shift > PAGE_SHIFT && entry & LARGE;

    return entry & ADDRESS & (is_large ? ~LARGE_PAT : UINT64_MAX);
}

static unsigned int pat(uint64_t entry, unsigned int shift)
{
    uint64_t high = entry & (shift == PAGE_SHIFT ? SMALL_PAT : LARGE_PAT);

    return (entry & PWT ? 1 : 0) | (entry & PCD ? 2 : 0) | (high ? 4 : 0);
}

static uint64_t entry_at(uint64_t table_paddr, unsigned int index, unsigned int shift)
{
    uint64_t entry = ((const uint64_t *)(uintptr_t)table_paddr)[index];
    uint64_t known = PRESENT | WRITABLE | NO_EXECUTE | ADDRESS;

    if (shift <= PAGE_SHIFT + 2 * INDEX_BITS)
        known |= LARGE;
    if (is_page(entry, shift))
        known |= PWT | PCD;
    bool is_misaligned = is_page(entry, shift) && address(entry, shift) & ((1ull << shift) - 1);
    if (entry & ~known || is_misaligned || (entry && !(entry & PRESENT))) {
        fprintf(stderr, "page tables: entry 0x%llx for bit %u\n", (unsigned long long)entry, shift);
        abort();
    }
    return entry;
}

static unsigned int root_shift(unsigned int levels)
{
    return PAGE_SHIFT + (levels - 1) * INDEX_BITS;
}

struct page page_walk(uint64_t root_paddr, unsigned int levels, uint64_t vaddr)
{
    struct page page = {.is_writable = true, .is_executable = true};
    uint64_t table = root_paddr;

    for (unsigned int shift = root_shift(levels);; shift -= INDEX_BITS) {
        uint64_t entry = entry_at(table, vaddr >> shift & INDEX_MASK, shift);

        if (!(entry & PRESENT))
            return (struct page){.is_mapped = false};
        page.is_writable = page.is_writable && entry & WRITABLE;
        page.is_executable = page.is_executable && !(entry & NO_EXECUTE);
        table = address(entry, shift);
        if (is_page(entry, shift)) {
            page.is_mapped = true;
            page.pat = pat(entry, shift);
            page.bytes = 1ull << shift;
            page.paddr = table | (vaddr & (page.bytes - 1));
            return page;
        }
    }
}

struct visit {
    unsigned int root_shift;
    void (*visit)(void *context, uint64_t table_paddr);
    void *context;
};

static uint64_t each(uint64_t table_paddr, unsigned int shift, const struct visit *visit)
{
    uint64_t bytes = 0;

    visit->visit(visit->context, table_paddr);
    for (unsigned int i = 0; i <= INDEX_MASK; i++) {
        uint64_t entry = entry_at(table_paddr, i, shift);

        if (!(entry & PRESENT) ||
            (shift == visit->root_shift && address(entry, shift) == table_paddr))
            continue;
        bytes += is_page(entry, shift) ? 1ull << shift
                                       : each(entry & ADDRESS, shift - INDEX_BITS, visit);
    }
    return bytes;
}

uint64_t page_tables_each(uint64_t root_paddr, unsigned int levels,
                          void (*visit)(void *context, uint64_t table_paddr), void *context)
{
    const struct visit all = {root_shift(levels), visit, context};

    return each(root_paddr, all.root_shift, &all);
}
