/*
 * The page tables that a 64-bit kernel starts with [Intel SDM vol. 3 §4.5 "4-Level Paging and
 * 5-Level Paging"].
 */
#ifndef BOOTLOADER_CORE_PAGING_H
#define BOOTLOADER_CORE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_features;
struct memory_map;

#define PAGING_WRITABLE 0x1u
#define PAGING_EXECUTABLE 0x2u
/* Only pages of 4 KiB and 2 MiB: for ranges where the types of memory may change within 1 GiB. */
#define PAGING_NO_1GIB 0x4u
/* Other caching than write-back, by the entries of the PAT that bootinfo.h promises. */
#define PAGING_UNCACHED 0x8u
#define PAGING_WRITE_COMBINING 0x10u
/* The same, by the PAT of Limine. */
#define PAGING_WRITE_COMBINING_LIMINE 0x20u

struct paging {
    uint64_t root_paddr;    /* for CR3 */
    struct memory_map *map; /* where tables are taken from */
    uint32_t levels;        /* 4 or 5 */
    bool has_nx;
    bool has_1gib;
};

/* Start with nothing mapped. */
void paging_init(struct paging *paging, struct memory_map *map, const struct cpu_features *cpu,
                 uint32_t levels);

/* Map [vaddr, vaddr + bytes) to paddr, all multiples of 4 KiB, in the largest pages that fit. What
   is mapped already stays as it is: map the exceptions first and the rule last. */
void paging_map(struct paging *paging, uint64_t vaddr, uint64_t paddr, uint64_t bytes,
                unsigned int flags);

/* Let an entry of the root table point to that table, not executable; nothing may be mapped there
   any more. False: something is. */
bool paging_map_recursive(struct paging *paging, unsigned int index);

#endif
