/*
 * What the parts of the contract kernel share: the machine as contract_entry.asm noted it down, the
 * boot information, and questions that several parts ask.
 */
#ifndef TESTS_BOOT_KERNELS_CONTRACT_H
#define TESTS_BOOT_KERNELS_CONTRACT_H

#define REPORT_SEVERAL_FILES
#include "page_walk.h"
#include "report.h"

#include <stddef.h>

#define CONTRACT_STACK_BYTES 65536u

/* In the order of contract_entry.asm. */
struct entry_state {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags, cr0, cr3, cr4, efer, dr7, apic_base, pat, fs_base, gs_base, kernel_gs_base;
    uint64_t gdt_base, idt_base;
    uint32_t gdt_limit, idt_limit, mxcsr;
    uint16_t cs, ss, ds, es, fs, gs, ldtr, tr, fcw, fsw, ftw, pics, in_service;
};

extern const struct entry_state entry_state;
extern uint8_t contract_start[];
extern uint8_t contract_text_end[];
extern uint8_t contract_rodata_end[];
extern uint8_t contract_end[];

/* Set before any check. */
extern const struct bootinfo *contract_info;
extern bool contract_cpu_has_nx;
extern bool contract_cpu_has_1_gib_pages;
/* With 4 levels of page tables, or with 5. */
extern uint64_t contract_physical_memory;
extern uint64_t contract_physical_memory_bytes;

static inline uint64_t address(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static inline uint64_t contract_read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

/* The type of memory that all of [paddr, paddr + bytes) has; 0 if it has none or several. */
uint32_t contract_memory_type(uint64_t paddr, uint64_t bytes);

/* Each makes the checks of one part of bootinfo.h. */
void contract_check_machine(void);
void contract_check_devices(void);
void contract_check_pages(void);

#endif
