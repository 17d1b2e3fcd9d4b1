/*
 * A 32-bit kernel without any header, as bootinfo.h promises it: physical addresses, EBX, the
 * stack.
 */
#include "state.h"

#include <bootimage/bootinfo.h>

#ifdef STACK
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_STACK, STACK)
#else
#define STACK 0x10000
#endif

static const void *at(uint64_t paddr)
{
    return (const void *)(uint32_t)paddr;
}

static void check_memory(const struct bootinfo *info)
{
    const struct bootinfo_memory_range *ranges = at(info->memory_map);
    uint64_t end = 0;
    bool is_sorted = true, is_kernel_s = false, is_stack_s = false;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        const struct bootinfo_memory_range *range = &ranges[i];
        uint64_t stack = info->stack_top - info->stack_bytes;

        is_sorted &= range->base_paddr >= end && range->bytes > 0;
        end = range->base_paddr + range->bytes;
        is_kernel_s |= range->type == BOOTINFO_MEMORY_KERNEL &&
                       range->base_paddr <= (uint32_t)load_start && end >= (uint32_t)bss_end;
        is_stack_s |= range->type == BOOTINFO_MEMORY_LOADER && range->base_paddr <= stack &&
                      end >= info->stack_top;
    }
    report_check(is_sorted, "a memory map, sorted and disjoint");
    report_check(is_kernel_s, "the kernel's memory is the kernel's");
    report_check(is_stack_s, "the stack lies in the loader's");
}

static void check_modules(const struct bootinfo *info)
{
    const struct bootinfo_module *modules = at(info->modules);

    report_check(info->module_count == 3 && is_text(at(modules[0].name), "first") &&
                     is_text(at(modules[0].arguments), "with arguments") &&
                     is_text(at(modules[1].name), "m1"),
                 "three modules");
    report_check(modules[0].bytes == 5000 && modules[1].bytes == 70000 && modules[2].bytes == 0 &&
                     is_module(modules[0].address, modules[0].address + 5000, 0) &&
                     is_module(modules[1].address, modules[1].address + 70000, 1),
                 "their bytes");
}

void check(void)
{
    const struct bootinfo *info = (const struct bootinfo *)state.ebx;
    const uint32_t *stack = (const uint32_t *)state.esp;

    report_entered();
    check_machine();
    report_check((read_cr0() & ~0x10u) == CR0_PE && read_cr4() == 0 && read_efer() == 0,
                 "all other bits of CR0, CR4 and EFER are clear");
    report_check(info->magic == BOOTINFO_MAGIC && info->version == BOOTINFO_VERSION &&
                     info->size_bytes == sizeof(*info),
                 "EBX leads to a struct bootinfo");
    report_check(stack[0] == 0 && stack[1] == state.ebx && (state.esp + 4) % 16 == 0,
                 "as after a call, with its address as the argument");
    report_check(state.esp < info->stack_top && info->stack_top - state.esp < 64 &&
                     info->stack_bytes == STACK,
                 "the stack");
    report_check(!(state.eax | state.ecx | state.edx | state.esi | state.edi | state.ebp),
                 "the other registers are 0");
    report_check(state.eflags == 2, "EFLAGS");
    report_check(info->physical_memory == 0 && info->page_levels == 0, "no pages");
    report_check(info->kernel_paddr == (uint32_t)load_start &&
                     info->kernel_vaddr == info->kernel_paddr && info->kernel_slide == 0,
                 "where the kernel lies");
    report_check(is_text(at(info->command_line), "one two  three"), "the command line");
    report_check(is_text(at(info->loader_name), "bootimage"), "the loader's name");
    report_check(begins(at(info->rsdp_paddr), "RSD PTR "), "the root pointer of ACPI");
    report_check(read_port(0x21) == 0xff, "no interrupt of a device arrives");
    report_check(info->tsc_enter > info->tsc_load && info->tsc_load > info->tsc_stage1, "times");
    check_memory(info);
    check_modules(info);
    report_value("framebuffer_count", info->framebuffer_count);
    report_value("firmware", info->firmware);
    report_done();
}
