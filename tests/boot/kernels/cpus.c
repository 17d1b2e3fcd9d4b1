/*
 * A kernel that asks for all CPUs, calls each, and has each tell in which state it came: the
 * registers that bootinfo.h promises, a stack of its own, its own struct bootinfo_cpu. The boot
 * processor checks what they noted down, one after the other.
 *
 * Built with the flags of the target; cpus_entry.asm is where the CPUs go to.
 */
#include "page_walk.h"
#include "report.h"

#include <stddef.h>

#define MOST_CPUS 64u
#define STACK_BYTES 0x8000u
/* Write-back, write-through, uncached minus, uncached; write-combining, write-protected, and the
   last two again. */
#define PAT 0x0007050100070406ull
#define ARGUMENT 0x1234567800000000ull

BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_CPUS, 1)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_STACK, 0x8000)

/* In the order of cpus_entry.asm. */
struct arrival {
    uint64_t rdi, rsp, others, rflags, cr0, cr3, cr4, efer, pat, apic_base;
    uint64_t fs_base, gs_base, kernel_gs_base, dr7, gdt_base, idt_limit, mxcsr;
    uint64_t cs, ss, ds, es, fs, gs, ldtr, tr, fcw, at_rsp, id, apic_lvt0, apic_spurious;
    uint64_t mtrr_type, mtrr_base, mtrr_mask; /* the default, and the last range */
    volatile uint64_t arrived;
};

/* cpus_entry.asm fills the one of the number in `argument`. */
struct arrival cpus_arrivals[MOST_CPUS];
extern uint8_t cpus_entry[];

void _start(const struct bootinfo *info);

static struct bootinfo_cpu *cpus;
static uint64_t count;
static bool is_x2apic;
static uint64_t cr3, cr4, efer, gdt_base;

static uint64_t read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static void note_own_state(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdt;

    __asm__("mov %%cr3, %0" : "=r"(cr3));
    __asm__("mov %%cr4, %0" : "=r"(cr4));
    __asm__("sgdt %0" : "=m"(gdt));
    efer = read_msr(0xc0000080);
    gdt_base = gdt.base;
}

static void check_list(const struct bootinfo *info)
{
    const uint64_t offset = info->cpus - info->physical_memory;
    const struct bootinfo_memory_range *range = (const void *)info->memory_map;
    bool in_loader_memory = false, parked = true, untouched = true, unique = true, padded = true;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++)
        in_loader_memory = in_loader_memory ||
                           (range->type == BOOTINFO_MEMORY_LOADER && offset >= range->base_paddr &&
                            offset + count * sizeof(*cpus) <= range->base_paddr + range->bytes);
    report_check(in_loader_memory && info->cpus % 64 == 0,
                 "the CPUs' structs lie in memory of type LOADER, a cache line for each");
    for (uint64_t i = 0; i < count; i++) {
        parked = parked && (i == 0 || cpus[i].state == BOOTINFO_CPU_PARKED);
        untouched = untouched && cpus[i].argument == 0 && cpus[i].goto_address == 0;
        padded = padded && cpus[i].reserved == 0 &&
                 (cpus[i].padding[0] | cpus[i].padding[1] | cpus[i].padding[2]) == 0;
        for (uint64_t j = 0; j < i; j++)
            unique = unique && cpus[i].apic_id != cpus[j].apic_id;
        report_text("# cpu");
        report_decimal(i);
        report_text(" = ");
        report_decimal(cpus[i].apic_id);
        report_text(" ");
        report_decimal(cpus[i].processor_id);
        report_text("\n");
    }
    report_check(cpus[0].state == BOOTINFO_CPU_BOOT && cpus[0].apic_id == info->boot_cpu_apic_id,
                 "the first is the boot processor");
    report_check(parked, "the others are parked");
    report_check(unique, "none is listed twice");
    report_check(untouched, "argument and goto_address are 0");
    report_check(padded, "the padding is 0");
}

static void check_stacks(const struct bootinfo *info)
{
    bool mapped = true, guarded = true, apart = cpus[0].stack_top == info->stack_top;
    struct page page;

    for (uint64_t i = 0; i < count; i++) {
        const uint64_t top = cpus[i].stack_top;

        for (uint64_t at = top - STACK_BYTES; at < top; at += PAGE_BYTES)
            mapped = mapped && page_find(cr3, at, &page) && page.writable && !page.executable;
        guarded = guarded && !page_find(cr3, top - STACK_BYTES - 1, &page);
        apart = apart && (i == 0 || top <= cpus[i - 1].stack_top - STACK_BYTES - PAGE_BYTES);
    }
    report_check(mapped, "each CPU has a stack of the size that was asked for");
    report_check(guarded, "the page below each stack is not mapped");
    report_check(apart, "each stack lies below the one before it");
}

static void call_all(void)
{
    for (uint64_t i = 1; i < count; i++) {
        cpus[i].argument = ARGUMENT | i;
        cpus[i].goto_address = (uint64_t)(uintptr_t)cpus_entry;
    }
    for (uint64_t i = 1; i < count; i++) {
        while (!cpus_arrivals[i].arrived)
            __asm__ volatile("pause");
    }
}

/* Whether `holds` is true of each CPU that was called. */
static void check_each(bool (*holds)(const struct arrival *at, const struct bootinfo_cpu *cpu),
                       const char *what)
{
    bool all = true;

    for (uint64_t i = 1; i < count; i++)
        all = all && holds(&cpus_arrivals[i], &cpus[i]);
    report_check(all, what);
}

static bool has_its_struct(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    return at->rdi == (uint64_t)(uintptr_t)cpu && at->id == cpu->apic_id;
}

static bool has_its_stack(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    return at->rsp + 8 == cpu->stack_top && cpu->stack_top % 16 == 0 && at->at_rsp == 0;
}

static bool has_clean_registers(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return at->others == 0 && at->rflags == 2;
}

static bool has_control_registers(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return (at->cr0 & 0xe005003f) == 0x80010033 && at->cr3 == cr3 && at->cr4 == cr4 &&
           at->efer == efer && at->pat == PAT && (at->dr7 & 0xff) == 0;
}

static bool has_segments(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return at->cs == 0x08 && at->ss == 0x10 && at->ds == 0x10 && at->es == 0x10 && at->fs == 0 &&
           at->gs == 0 && (at->fs_base | at->gs_base | at->kernel_gs_base) == 0 &&
           at->gdt_base == gdt_base && at->idt_limit == 0 && at->ldtr == 0 && at->tr == 0;
}

static bool has_clean_units(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return at->fcw == 0x37f && at->mxcsr == 0x1f80;
}

static bool is_no_boot_processor(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return (at->apic_base >> 8 & 1) == 0;
}

static bool has_apic_mode(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return (at->apic_base >> 10 & 3) == (is_x2apic ? 3 : 2);
}

/* The state of the local APIC after an INIT: off by software, LINT0 masked [Intel SDM vol. 3
   §11.4.7.1 "Local APIC State After Power-Up or Reset"]. */
static bool has_fresh_apic(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return at->apic_spurious == 0xff && at->apic_lvt0 == 0x10000;
}

static bool has_memory_types(const struct arrival *at, const struct bootinfo_cpu *cpu)
{
    (void)cpu;
    return at->mtrr_type == read_msr(0x2ff) && at->mtrr_base == read_msr(0x20e) &&
           at->mtrr_mask == read_msr(0x20f);
}

void _start(const struct bootinfo *info)
{
    report_entered();
    cpus = (struct bootinfo_cpu *)info->cpus;
    count = info->cpu_count;
    report_value("cpu_count", count);
    report_value("flags", info->flags);
    report_check(count > 0 && count <= MOST_CPUS, "there is a boot processor at least");
    is_x2apic = (info->flags & BOOTINFO_X2APIC) != 0;
    report_check(is_x2apic == (read_msr(0x1b) >> 10 & 1), "the flags tell the local APIC's mode");
    note_own_state();
    check_list(info);
    check_stacks(info);
    call_all();
    check_each(has_its_struct, "RDI of each leads to its own struct");
    check_each(has_its_stack, "each has its stack, and 0 on top");
    check_each(has_clean_registers, "its other registers are 0, interrupts off");
    check_each(has_control_registers,
               "its control registers are the boot processor's, its PAT is as promised");
    check_each(has_segments, "its segments and tables are the boot processor's");
    check_each(has_clean_units, "its x87 and SSE are usable and clean");
    check_each(has_apic_mode, "its local APIC is in the boot processor's mode");
    check_each(has_fresh_apic, "its local APIC is as after an INIT");
    check_each(has_memory_types, "its memory type range registers are the boot processor's");
    report_value("mtrr_base", read_msr(0x20e));
    check_each(is_no_boot_processor, "none of them is the boot processor");
    report_done();
}
