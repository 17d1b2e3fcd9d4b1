/*
 * The last instructions of the loader. They run in a page of their own, which both the loader's
 * page tables and the kernel's map one to one.
 */
#ifndef BOOTLOADER_CORE_HANDOVER_H
#define BOOTLOADER_CORE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

/* What the jump into a 64-bit kernel needs. */
struct handover {
    uint64_t page_paddr;   /* where handover_copy() put the code */
    uint64_t tables_paddr; /* the kernel's page tables, for CR3 */
    uint64_t entry_vaddr;
    uint64_t stack_top_vaddr;
    uint64_t argument; /* for RDI */
    uint32_t levels;   /* of the page tables: 4 or 5 */
    bool has_nx;       /* the page tables use bit 63 */
};

/* Copy code and GDT to a page, below 4 GiB. In the kernel's map the GDT will be found at
   gdt_page_vaddr. */
void handover_copy(uint64_t page_paddr, uint64_t gdt_page_vaddr);

/* Switch to the kernel's page tables and to the state at entry that bootinfo.h promises, and jump.
   Does not return. */
void handover_enter(const struct handover *handover);

#endif
