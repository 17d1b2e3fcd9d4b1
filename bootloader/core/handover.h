/*
 * The last instructions of the loader. They run in a page of their own, which both the loader's
 * page tables and the kernel's map one to one.
 */
#ifndef BOOTLOADER_CORE_HANDOVER_H
#define BOOTLOADER_CORE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

/* What goes to its place when the firmware and the loader need theirs no more. No place is
   another's source, or in use by the code that makes the moves. */
struct handover_move {
    uint64_t from_paddr, to_paddr;
    uint64_t bytes; /* multiple of 8 */
};

/* What the jump into a 64-bit kernel needs. */
struct handover {
    uint64_t page_paddr;   /* where handover_copy() puts the code, below 4 GiB */
    uint64_t tables_paddr; /* the kernel's page tables, for CR3, below 4 GiB */
    uint64_t entry_vaddr;
    uint64_t stack_top_vaddr;
    uint64_t argument;        /* for RDI */
    uint64_t physical_memory; /* where the kernel's page tables map all RAM, also the page */
    uint64_t moves_paddr;     /* of struct handover_move[], below 4 GiB */
    uint64_t move_count;
    uint32_t levels; /* of the page tables: 4 or 5 */
    bool has_nx;     /* the page tables use bit 63 */
    bool has_x2apic; /* local APICs are to be in x2APIC mode */
};

/* How another CPU comes in, from protected mode. */
struct handover_door {
    uint32_t page_paddr;  /* for EBX */
    uint32_t entry_paddr; /* 32-bit code, entered with paging off and the CPU's struct in EBP */
    uint32_t gdt_paddr;   /* HANDOVER_GDT_BYTES */
};

#define HANDOVER_GDT_BYTES 32u
#define HANDOVER_CODE_32 0x18u /* selector of flat 32-bit code in that GDT */

/* Put code, GDTs and settings into the page. */
void handover_copy(const struct handover *handover);

struct handover_door handover_door(const struct handover *handover);

/* Switch to the kernel's page tables and to the state at entry that bootinfo.h promises, and jump.
   Does not return. */
void handover_enter(const struct handover *handover);

#endif
