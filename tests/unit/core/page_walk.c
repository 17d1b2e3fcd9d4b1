/*
 * See page_walk.h. An entry that a CPU would not take, or with a bit that the loader has no use
 * for, ends the program.
 */
#include "page_walk.h"

#include <stdio.h>
#include <stdlib.h>

#define PRESENT (1ull << 0)
#define WRITABLE (1ull << 1)
#define LARGE (1ull << 7)
#define NO_EXECUTE (1ull << 63)
#define ADDRESS 0xffffffffff000ull

#define ROOT_SHIFT 39
#define PAGE_SHIFT 12
#define INDEX_BITS 9
#define INDEX_MASK 511u

static uint64_t entry_at(uint64_t table_paddr, unsigned int index, unsigned int shift)
{
    uint64_t entry = ((const uint64_t *)(uintptr_t)table_paddr)[index];
    uint64_t known = PRESENT | WRITABLE | NO_EXECUTE | ADDRESS;

    if (shift == PAGE_SHIFT + INDEX_BITS || shift == PAGE_SHIFT + 2 * INDEX_BITS)
        known |= LARGE;
    bool is_misaligned = entry & LARGE && entry & ADDRESS & ((1ull << shift) - 1);
    if (entry & ~known || is_misaligned || (entry && !(entry & PRESENT))) {
        fprintf(stderr, "page tables: entry 0x%llx for bit %u\n", (unsigned long long)entry, shift);
        abort();
    }
    return entry;
}

static bool is_page(uint64_t entry, unsigned int shift)
{
    return shift == PAGE_SHIFT || entry & LARGE;
}

struct page page_walk(uint64_t root_paddr, uint64_t vaddr)
{
    struct page page = {.is_writable = true, .is_executable = true};
    uint64_t table = root_paddr;

    for (unsigned int shift = ROOT_SHIFT;; shift -= INDEX_BITS) {
        uint64_t entry = entry_at(table, vaddr >> shift & INDEX_MASK, shift);

        if (!(entry & PRESENT))
            return (struct page){.is_mapped = false};
        page.is_writable = page.is_writable && entry & WRITABLE;
        page.is_executable = page.is_executable && !(entry & NO_EXECUTE);
        table = entry & ADDRESS;
        if (is_page(entry, shift)) {
            page.is_mapped = true;
            page.bytes = 1ull << shift;
            page.paddr = table | (vaddr & (page.bytes - 1));
            return page;
        }
    }
}

static uint64_t each(uint64_t table_paddr, unsigned int shift,
                     void (*visit)(void *context, uint64_t table_paddr), void *context)
{
    uint64_t bytes = 0;

    visit(context, table_paddr);
    for (unsigned int i = 0; i <= INDEX_MASK; i++) {
        uint64_t entry = entry_at(table_paddr, i, shift);

        if (!(entry & PRESENT))
            continue;
        bytes += is_page(entry, shift) ? 1ull << shift
                                       : each(entry & ADDRESS, shift - INDEX_BITS, visit, context);
    }
    return bytes;
}

uint64_t page_tables_each(uint64_t root_paddr, void (*visit)(void *context, uint64_t table_paddr),
                          void *context)
{
    return each(root_paddr, ROOT_SHIFT, visit, context);
}
