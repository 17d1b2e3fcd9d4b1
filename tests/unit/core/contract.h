/*
 * What bootinfo.h promises a kernel, checked where the loader is about to jump: registers, page
 * tables, boot information, memory map.
 */
#ifndef TESTS_UNIT_CORE_CONTRACT_H
#define TESTS_UNIT_CORE_CONTRACT_H

#include "firmware.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages of the kernel, or that it asks for, and their rights: PLAN_WRITABLE, PLAN_EXECUTABLE. */
struct contract_pages {
    uint64_t vaddr, bytes, paddr;
    uint32_t rights;
    uint32_t pat; /* entry of the PAT: 0 for write-back */
};

/* Memory the kernel owns, mapped or not. */
struct contract_memory {
    uint64_t paddr, bytes;
};

/* The kernel that was booted, on a machine with the usual memory (fake_ranges). What is left 0 was
   not asked for. */
struct contract_kernel {
    struct firmware_boot boot;
    uint64_t entry_vaddr;
    uint64_t stack_bytes;
    const char *command_line;
    uint64_t lowest_vaddr, lowest_paddr; /* of its regions */
    const struct contract_pages *pages;
    size_t page_count;
    const struct contract_memory *memory;
    size_t memory_count;
    bool has_5_levels;
    bool has_no_identity;
    uint32_t recursive_entry;
    uint64_t cpu_count;                /* with the boot processor */
    const struct contract_pages *maps; /* asked for */
    size_t map_count;
    const struct bootinfo_request *requests; /* as they have to be echoed */
    size_t request_count;
};

/* The boot information as the kernel would find it, by its page tables. */
const struct bootinfo *contract_bootinfo(void);

/* Where the kernel's page tables lead: the memory behind a virtual address. */
void *contract_at(uint64_t vaddr);

/* Fails the running test where a promise is broken. */
void contract_check(const struct contract_kernel *kernel);

#endif
