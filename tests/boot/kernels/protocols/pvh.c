/*
 * PVH, as Xen's documentation has it: the machine and struct hvm_start_info. The test gives three
 * modules and a command line.
 */
#include "state.h"

struct start {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};

struct module {
    uint64_t paddr, size, cmdline, reserved;
};

struct memory {
    uint64_t addr, size;
    uint32_t type, reserved;
};

static const char *at(uint64_t paddr)
{
    return (const char *)(uint32_t)paddr;
}

static void check_modules(const struct start *start)
{
    const struct module *modules = (const struct module *)at(start->modlist);

    report_check(start->nr_modules == 3, "three modules");
    report_check(is_text(at(modules[0].cmdline), "first with arguments") &&
                     is_text(at(modules[1].cmdline), "m1"),
                 "their strings");
    report_check(modules[0].size == 5000 && modules[1].size == 70000 && modules[2].size == 0 &&
                     modules[0].reserved == 0,
                 "their sizes");
    report_check(is_module(modules[0].paddr, modules[0].paddr + 5000, 0) &&
                     is_module(modules[1].paddr, modules[1].paddr + 70000, 1),
                 "their bytes");
}

static void check_memory(const struct start *start)
{
    const struct memory *memory = (const struct memory *)at(start->memmap);
    struct map_check map = {.is_sorted = true};
    bool zeros = true;

    for (uint32_t i = 0; i < start->memmap_entries; i++) {
        map_check(&map, memory[i].addr, memory[i].size, memory[i].type);
        zeros &= memory[i].reserved == 0;
    }
    report_check(start->memmap_entries > 2 && map.is_sorted && zeros,
                 "a memory map, sorted and disjoint");
    report_check(map.has_kernel, "the kernel lies in usable memory");
    report_value("usable", map.usable);
}

/* TR: "a 32-bit TSS (active) with a base of 0 and a limit of 0x67". */
static bool has_task(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) gdt;
    uint32_t selector = 0, limit = 0, rights = 0;

    __asm__ volatile("str %0" : "=r"(selector));
    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(selector));
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector));
    __asm__ volatile("sgdt %0" : "=m"(gdt));
    const uint8_t *task = (const uint8_t *)(gdt.base + selector);
    bool is_at_0 = !(task[2] | task[3] | task[4] | task[7]);
    return limit == 0x67 && (rights & 0xff00) == 0x8b00 && is_at_0;
}

void check(void)
{
    const struct start *start = (const struct start *)state.ebx;

    report_entered();
    check_machine();
    report_check((read_cr0() & ~0x10u) == CR0_PE && read_cr4() == 0,
                 "all other bits of CR0 and CR4 are clear");
    report_check(has_task(), "a task");
    report_check(start->magic == 0x336ec578 && start->version == 1 && start->flags == 0 &&
                     start->reserved == 0,
                 "magic, version and flags");
    report_check(is_apart(state.ebx, state.ebx + sizeof(*start)),
                 "the information is apart from the kernel");
    report_check(is_text(at(start->cmdline), "one two  three"), "the command line");
    report_check(begins(at(start->rsdp), "RSD PTR "), "the root pointer of ACPI");
    report_check(read_port(0x21) == 0xff, "no interrupt of a device arrives");
    check_modules(start);
    check_memory(start);
    report_done();
}
