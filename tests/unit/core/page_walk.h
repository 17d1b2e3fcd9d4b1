/*
 * The CPU's view of page tables, for the tests of those the loader builds: an address walked
 * through 4 or 5 levels [Intel SDM vol. 3 §4.5 "4-Level Paging and 5-Level Paging"].
 */
#ifndef TESTS_UNIT_CORE_PAGE_WALK_H
#define TESTS_UNIT_CORE_PAGE_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct page {
    bool is_mapped;
    bool is_writable;
    bool is_executable;
    unsigned int pat; /* which entry of the PAT says how it is cached */
    uint64_t paddr;   /* of the address that was asked for */
    uint64_t bytes;   /* of the page */
};

struct page page_walk(uint64_t root_paddr, unsigned int levels, uint64_t vaddr);

/* Walk every table once, but for an entry of the root that leads back to it: call `visit` for each;
   the sum of all pages in bytes. */
uint64_t page_tables_each(uint64_t root_paddr, unsigned int levels,
                          void (*visit)(void *context, uint64_t table_paddr), void *context);

#endif
