/*
 * A kernel that was built for contract 1.0 and knows no other: version-1.0/bootimage/bootinfo.h is
 * that header, and never changes. The loader of any later 1.x must give it all that 1.0 promised.
 *
 * Assumes what the System V ABI promises a function. The registers are contract.c's to judge.
 */
#include "bootimage/bootinfo.h"
#include "report.h"

#include <stddef.h>

#define STACK_BYTES 65536u
#define PAGE_BYTES 4096u

void _start(const struct bootinfo *info);

/* The type of memory at paddr; what is newer than 1.0 counts as reserved. */
static uint32_t memory_type(const struct bootinfo *info, uint64_t paddr)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (paddr - range->base_paddr < range->bytes)
            return range->type <= BOOTINFO_MEMORY_KERNEL ? range->type : BOOTINFO_MEMORY_RESERVED;
    }
    return 0;
}

static bool text_is(uint64_t address, const char *text)
{
    const char *at = (const char *)address;

    while (*text != '\0' && *at == *text) {
        at++;
        text++;
    }
    return *at == *text;
}

/* The words of 0xFF that it writes to the free page of the highest address stay there. */
static bool highest_free_page_works(const struct bootinfo *info)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map + info->memory_map_count;

    do {
        range--;
    } while (range->type != BOOTINFO_MEMORY_USABLE);
    volatile uint64_t *page = (volatile uint64_t *)(BOOTINFO_PHYSICAL_MEMORY + range->base_paddr +
                                                    range->bytes - PAGE_BYTES);

    for (unsigned i = 0; i < PAGE_BYTES / sizeof(*page); i++)
        page[i] = UINT64_MAX;
    return page[0] == UINT64_MAX && page[PAGE_BYTES / sizeof(*page) - 1] == UINT64_MAX;
}

void _start(const struct bootinfo *info)
{
    const uint64_t stack = (uint64_t)(uintptr_t)__builtin_frame_address(0);

    report_entered();
    report_check(info->magic == BOOTINFO_MAGIC, "the magic is that of 1.0");
    report_check(info->version >> 16 == BOOTINFO_VERSION >> 16 && info->version > BOOTINFO_VERSION,
                 "the major version is the same, the minor is newer");
    report_check(info->size_bytes >= sizeof(*info), "bootinfo is no smaller than it was");
    report_check(info->physical_memory == BOOTINFO_PHYSICAL_MEMORY, "all RAM is where it was");
    report_check(info->stack_top == BOOTINFO_STACK_TOP && info->stack_bytes == STACK_BYTES &&
                     BOOTINFO_STACK_TOP - stack < PAGE_BYTES,
                 "the stack is where it was, and as large");
    report_check(memory_type(info, info->kernel_paddr) == BOOTINFO_MEMORY_KERNEL,
                 "the kernel lies in memory of type KERNEL");
    report_check(memory_type(info, (uintptr_t)info - BOOTINFO_PHYSICAL_MEMORY) ==
                     BOOTINFO_MEMORY_LOADER,
                 "bootinfo lies in memory of type LOADER");
    report_check(highest_free_page_works(info), "usable memory is usable");
    report_check(text_is(info->loader_name, "bootimage"), "the loader has its name");
    report_check(text_is(info->command_line, "of 1.0") && info->command_line_bytes == 6,
                 "the command line arrives");
    report_check(info->tsc_stage1 < info->tsc_stage2 && info->tsc_map < info->tsc_enter,
                 "the time stamps grow");
    report_done();
}
