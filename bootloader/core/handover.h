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

/* What a 32-bit kernel finds; the other registers are 0. */
struct handover_registers {
    uint32_t eax, ebx, esi, esp;
};

/* A model-specific register that other CPUs are to have as the boot processor has it. */
struct handover_msr {
    uint32_t number;
    uint32_t reserved;
    uint64_t value;
};

/* What the jump into a kernel needs. */
struct handover {
    uint64_t page_paddr;   /* where handover_copy() puts the code, below 4 GiB */
    uint64_t tables_paddr; /* the kernel's page tables, for CR3, below 4 GiB; 0: a 32-bit kernel,
                              for which only entry, moves and registers count */
    struct handover_registers registers;
    uint64_t entry_vaddr;
    uint64_t stack_top_vaddr;
    uint64_t argument;        /* for RDI */
    uint64_t physical_memory; /* where the kernel's page tables map all RAM, also the page */
    uint64_t moves_paddr;     /* of struct handover_move[], below 4 GiB */
    uint64_t move_count;
    uint64_t mtrrs_paddr; /* of struct handover_msr[], below 4 GiB, MTRR_DEF_TYPE last */
    uint64_t mtrr_count;
    uint32_t levels; /* of the page tables: 4 or 5 */
    bool has_nx;     /* the page tables use bit 63 */
    bool has_x2apic; /* local APICs are to be in x2APIC mode */
    bool is_limine;  /* GDT, PAT and what CPUs wait for as Limine has them, not bootinfo.h */
};

/* How another CPU comes in, from protected mode. */
struct handover_door {
    uint32_t page_paddr;  /* for EBX */
    uint32_t entry_paddr; /* 32-bit code, entered with paging off and the CPU's struct in EBP */
    uint32_t gdt_paddr;   /* HANDOVER_GDT_BYTES */
};

#define HANDOVER_GDT_BYTES 32u
#define HANDOVER_CODE_32 0x18u /* selector of flat 32-bit code in that GDT */

/* Another move; its memory is there. */
static inline void handover_add_move(struct handover *handover, uint64_t from_paddr,
                                     uint64_t to_paddr, uint64_t bytes)
{
    struct handover_move *moves = (struct handover_move *)(uintptr_t)handover->moves_paddr;

    moves[handover->move_count++] = (struct handover_move){from_paddr, to_paddr, bytes};
}

/* Put code, GDTs and settings into the page. */
void handover_copy(const struct handover *handover);

struct handover_door handover_door(const struct handover *handover);

/* Make the moves, switch to the kernel's page tables and to the state at entry that bootinfo.h
   promises, or to flat 32-bit protected mode, and jump. Does not return. */
void handover_enter(const struct handover *handover);

/* What a kernel finds that runs in the firmware's environment. */
struct handover_services {
    uint64_t rax, rbx, rdx, rsi, rdi;
};

/* Jump into it. Does not return. */
void handover_enter_services(uint64_t entry, const struct handover_services *registers);

#endif
