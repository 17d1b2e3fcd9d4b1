/*
 * The hand-over page: made here, and started. The code itself is handover.asm.
 */
#include "handover.h"

#include <string.h>

/* handover.asm */
extern const uint8_t handover_code[], handover_code_end[];
extern const uint8_t handover_gdt_base[]; /* the quadword that holds the address of the GDT */
extern const uint8_t handover_gdt[];

void handover_copy(uint64_t page_paddr, uint64_t gdt_page_vaddr)
{
    uint8_t *page = (uint8_t *)(uintptr_t)page_paddr;
    uintptr_t start = (uintptr_t)handover_code;
    uint64_t gdt_vaddr = gdt_page_vaddr + ((uintptr_t)handover_gdt - start);

    memcpy(page, handover_code, (uintptr_t)handover_code_end - start);
    memcpy(page + ((uintptr_t)handover_gdt_base - start), &gdt_vaddr, sizeof(gdt_vaddr));
}

void handover_enter(const struct handover *handover)
{
    /* System V, whatever the ABI of the firmware: handover.asm is one for all. */
    __attribute__((sysv_abi)) void (*enter)(uint64_t tables_paddr, uint64_t entry_vaddr,
                                            uint64_t stack_top_vaddr, uint64_t argument,
                                            uint64_t has_nx, uint64_t has_5_levels);

    enter = (__typeof__(enter))(uintptr_t)handover->page_paddr;
    enter(handover->tables_paddr, handover->entry_vaddr, handover->stack_top_vaddr,
          handover->argument, handover->has_nx, handover->levels == 5);
}
