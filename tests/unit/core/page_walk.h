/*
 * The CPU's view of page tables, for the tests of those the loader builds: an address walked
 * through four levels [Intel SDM vol. 3 §4.5 "4-Level Paging and 5-Level Paging"].
 */
#ifndef TESTS_UNIT_CORE_PAGE_WALK_H
#define TESTS_UNIT_CORE_PAGE_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct page {
    bool is_mapped;
    bool is_writable;
    bool is_executable;
    uint64_t paddr; /* of the address that was asked for */
    uint64_t bytes; /* of the page */
};

struct page page_walk(uint64_t root_paddr, uint64_t vaddr);

/* Walk every table once: call `visit` for each; the sum of all pages in bytes. */
uint64_t page_tables_each(uint64_t root_paddr, void (*visit)(void *context, uint64_t table_paddr),
                          void *context);

#endif
