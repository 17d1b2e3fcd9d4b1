/*
 * The contract kernel: one check for each sentence of bootinfo.h, THE MACHINE AT ENTRY, WHAT IS
 * MAPPED, and struct bootinfo.
 *
 * contract_entry.asm noted the machine down before anything could change it. Linked at an address
 * and a physical address of the build's choosing by contract.ld, it is built with the flags of the
 * target. Texts and numbers that depend on the image or the machine are reported as values, and
 * the test judges them.
 */
#include "page_walk.h"
#include "report.h"

#include <stddef.h>

#define STACK_BYTES 65536u
#define IDENTITY_END 0x100000000ull
#define BSS_QUADS 65536
/* Write-back, write-through, uncached minus, uncached; write-combining, write-protected, and the
   last two again. */
#define PAT 0x0007050100070406ull

#define APIC_BASE_BOOT_PROCESSOR 0x100u
#define APIC_BASE_X2APIC 0x400u
#define APIC_ID 0x20u /* the register */
#define MSR_X2APIC_ID 0x802u
#define IO_APIC_PADDR 0xFEC00000u
/* The VGA's graphics controller. */
#define VGA_INDEX 0x3CEu
#define VGA_MISCELLANEOUS 6u
#define VGA_GRAPHICS_MODE 0x1u

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

static uint64_t bss[BSS_QUADS];
static volatile uint64_t data = 0x0123456789ABCDEF;
static const volatile uint64_t rodata = 0xFEDCBA9876543210;

static const struct bootinfo *info;
static bool cpu_has_nx;
static bool cpu_has_1_gib_pages;
/* With 4 levels of page tables, or with 5. */
static uint64_t physical_memory;
static uint64_t physical_memory_bytes;

void contract_main(const struct bootinfo *bootinfo);

static uint64_t address(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* CPUID 0x80000001, EDX: bit 20 is NX, bit 26 pages of 1 GiB. */
static bool cpu_has(unsigned bit)
{
    uint32_t eax = 0x80000001, ebx, ecx, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return (edx >> bit & 1) != 0;
}

/* The type of memory that all of [paddr, paddr + bytes) has; 0 if it has none or several. */
static uint32_t memory_type(uint64_t paddr, uint64_t bytes)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (paddr >= range->base_paddr && paddr - range->base_paddr < range->bytes)
            return paddr + bytes - range->base_paddr <= range->bytes ? range->type : 0;
    }
    return 0;
}

/* Memory of the boot information: in the map of physical memory, and the loader's own. */
static bool is_loader_memory(uint64_t vaddr, uint64_t bytes)
{
    return vaddr - physical_memory < physical_memory_bytes &&
           memory_type(vaddr - physical_memory, bytes) == BOOTINFO_MEMORY_LOADER;
}

static uint64_t read_msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static uint64_t string_bytes(uint64_t text)
{
    const char *at = (const char *)text;

    while (*at != '\0')
        at++;
    return address(at) - text;
}

/* Registers. */

static void check_general_registers(const struct entry_state *s)
{
    report_check(s->rdi == address(info), "RDI holds the address of struct bootinfo");
    report_check((s->rax | s->rbx | s->rcx | s->rdx | s->rsi | s->rbp) == 0 &&
                     (s->r8 | s->r9 | s->r10 | s->r11 | s->r12 | s->r13 | s->r14 | s->r15) == 0,
                 "the other general registers are 0");
    report_check(s->rsp == BOOTINFO_STACK_TOP - 8, "RSP is the top of the stack minus 8");
    report_check((s->rsp + 8) % 16 == 0, "RSP + 8 is a multiple of 16");
    report_check(*(const uint64_t *)s->rsp == 0, "the quadword at RSP is 0");
    report_check(s->rflags == 0x2, "RFLAGS is 2: interrupts off, direction up");
}

static void check_control_registers(const struct entry_state *s)
{
    const uint64_t cr0_set = 0x80010033; /* PG, WP, NE, ET, MP, PE */
    const uint64_t cr0_clear = 0xC;      /* TS, EM */
    const uint64_t long_mode = 0x500;    /* LMA, LME */

    report_check((s->cr0 & cr0_set) == cr0_set, "CR0 has PE, MP, ET, NE, WP and PG set");
    report_check((s->cr0 & cr0_clear) == 0, "CR0 has EM and TS clear");
    report_check(s->cr4 == (page_levels() == 5 ? 0x1620 : 0x620),
                 "CR4 has PAE, OSFXSR and OSXMMEXCPT set, LA57 with 5 levels, nothing else");
    report_check((s->efer & long_mode) == long_mode, "EFER has LME and LMA set");
    report_check(((s->efer >> 11 & 1) != 0) == cpu_has_nx, "EFER has NXE where the CPU has it");
    report_check((s->cr3 & ~PAGE_ADDRESS) == 0, "CR3 has no PCID and no cache flags");
    report_check(s->pat == PAT, "the PAT is as promised");
    report_check((s->dr7 & 0xFF) == 0, "DR7 arms no breakpoint");
    report_check(s->fcw == 0x37F, "FCW is 0x37F");
    report_check((s->fsw & 0xB8FF) == 0 && s->ftw == 0xFFFF,
                 "the x87 is empty and has no exception");
    report_check(s->mxcsr == 0x1F80, "MXCSR is 0x1F80");
}

static void check_segments(const struct entry_state *s)
{
    const uint64_t *gdt = (const uint64_t *)s->gdt_base;

    report_check(s->gdt_limit >= 23, "the GDT has three entries");
    report_check(gdt[0] == 0, "the GDT begins with the null entry");
    /* Present, DPL 0, code, readable; L set, D clear. */
    report_check((gdt[1] >> 40 & 0xFA) == 0x9A && (gdt[1] >> 52 & 0x6) == 0x2,
                 "GDT entry 0x08 is 64-bit code");
    /* Present, DPL 0, data, writable, expand-up. */
    report_check((gdt[2] >> 40 & 0xFE) == 0x92, "GDT entry 0x10 is data");
    report_check(s->cs == 0x08, "CS is 0x08");
    report_check(s->ss == 0x10 && s->ds == 0x10 && s->es == 0x10, "SS, DS and ES are 0x10");
    report_check((s->fs | s->gs) == 0, "FS and GS are null");
    report_check((s->fs_base | s->gs_base | s->kernel_gs_base) == 0,
                 "the bases of FS and GS are 0");
    report_check(memory_type(page_paddr(s->cr3, s->gdt_base), s->gdt_limit + 1) ==
                     BOOTINFO_MEMORY_LOADER,
                 "the GDT lies in memory of type LOADER");
    report_check(s->idt_limit == 0, "there is no IDT");
    report_check(s->ldtr == 0, "there is no LDT");
    report_check(s->tr == 0, "there is no TR");
    report_check(s->pics == 0xFFFF, "the PICs have all lines masked");
    report_check(s->in_service == 0, "the PICs have no interrupt in service");
}

/* The APIC's registers lie below 4 GiB, where they are mapped one to one. */
static uint32_t own_apic_id(const struct entry_state *s)
{
    if (s->apic_base & APIC_BASE_X2APIC)
        return (uint32_t)read_msr(MSR_X2APIC_ID);
    return *(const volatile uint32_t *)((s->apic_base & PAGE_ADDRESS) + APIC_ID) >> 24;
}

static void check_apic(const struct entry_state *s)
{
    report_check((s->apic_base & APIC_BASE_BOOT_PROCESSOR) != 0, "this is the boot processor");
    report_check(info->boot_cpu_apic_id == own_apic_id(s),
                 "bootinfo tells the APIC id of this CPU");
    report_check(info->flags == (s->apic_base & APIC_BASE_X2APIC ? BOOTINFO_X2APIC : 0),
                 "BOOTINFO_X2APIC tells the mode of the APIC");
}

/* What is mapped. */

static bool in_kernel(uint64_t vaddr)
{
    return vaddr >= address(contract_start) && vaddr < address(contract_end);
}

static bool is_read_only_kernel_paddr(uint64_t paddr)
{
    return paddr >= info->kernel_paddr &&
           paddr - info->kernel_paddr < address(contract_rodata_end) - address(contract_start);
}

/* Whether all pages of [from, to) have these rights. */
static bool pages_have(const uint8_t *from, const uint8_t *to, bool writable, bool executable)
{
    struct page page;

    for (uint64_t vaddr = address(from); vaddr < address(to); vaddr += PAGE_BYTES) {
        if (!page_find(entry_state.cr3, vaddr, &page) || page.writable != writable ||
            page.executable != (executable || !cpu_has_nx))
            return false;
    }
    return true;
}

/* Whether the map that begins at base shows the kernel's pages, with the rights that it must. */
static bool aliases_are_right(uint64_t base)
{
    const uint64_t bytes = address(contract_end) - address(contract_start);
    struct page page;

    for (uint64_t offset = 0; offset < bytes; offset += PAGE_BYTES) {
        const uint64_t paddr = info->kernel_paddr + offset;

        if (in_kernel(base + paddr))
            continue;
        if (!page_find(entry_state.cr3, base + paddr, &page) ||
            page_paddr(entry_state.cr3, base + paddr) != paddr ||
            page.writable == is_read_only_kernel_paddr(paddr) || (page.executable && cpu_has_nx))
            return false;
    }
    return true;
}

static void check_kernel_pages(void)
{
    report_check(page_paddr(entry_state.cr3, info->kernel_vaddr) == info->kernel_paddr &&
                     info->kernel_vaddr == address(contract_start),
                 "bootinfo tells where the kernel lies");
    report_check(pages_have(contract_start, contract_text_end, false, true),
                 "text is executable and not writable");
    report_check(pages_have(contract_text_end, contract_rodata_end, false, false),
                 "rodata is neither writable nor executable");
    report_check(pages_have(contract_rodata_end, contract_end, true, false),
                 "data and bss are writable and not executable");
    report_check(aliases_are_right(0), "read-only pages are read-only one to one, too");
    report_check(aliases_are_right(physical_memory),
                 "read-only pages are read-only in the map of physical memory, too");
    report_check(memory_type(info->kernel_paddr, address(contract_end) - address(contract_start)) ==
                     BOOTINFO_MEMORY_KERNEL,
                 "the kernel lies in memory of type KERNEL");
}

static void check_stack_pages(void)
{
    struct page page;
    bool right = true;

    for (uint64_t below = PAGE_BYTES; below <= STACK_BYTES; below += PAGE_BYTES) {
        right = right && page_find(entry_state.cr3, BOOTINFO_STACK_TOP - below, &page) &&
                page.writable && !(page.executable && cpu_has_nx) &&
                memory_type(page_paddr(entry_state.cr3, BOOTINFO_STACK_TOP - below), PAGE_BYTES) ==
                    BOOTINFO_MEMORY_LOADER;
    }
    report_check(right, "the stack is 64 KiB, writable, not executable, of type LOADER");
    report_check(!page_find(entry_state.cr3, BOOTINFO_STACK_TOP - STACK_BYTES - PAGE_BYTES, &page),
                 "the page below the stack is not mapped");
    report_check(!page_find(entry_state.cr3, BOOTINFO_STACK_TOP, &page),
                 "the page above the stack is not mapped");
    report_check(info->stack_top == BOOTINFO_STACK_TOP && info->stack_bytes == STACK_BYTES,
                 "bootinfo tells where the stack is");
}

static void check_identity_map(void)
{
    struct page page;
    bool right = true;

    report_check(!page_find(entry_state.cr3, 0, &page), "page 0 is not mapped");
    for (uint64_t vaddr = PAGE_BYTES; vaddr < IDENTITY_END; vaddr = page.vaddr + page.bytes) {
        right = page_find(entry_state.cr3, vaddr, &page) &&
                (page.vaddr == page.paddr || in_kernel(page.vaddr));
        if (!right)
            break;
    }
    report_check(right, "0x1000 to 4 GiB is mapped one to one");
}

static void check_physical_memory_map(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;
    bool right = true;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (range->type == BOOTINFO_MEMORY_RESERVED || range->type == BOOTINFO_MEMORY_BAD)
            continue;
        for (uint64_t at = 0; at < range->bytes && right; at += PAGE_BYTES) {
            const uint64_t vaddr = physical_memory + range->base_paddr + at;

            right =
                in_kernel(vaddr) || page_paddr(entry_state.cr3, vaddr) == range->base_paddr + at;
        }
    }
    report_check(right, "all RAM is in the map of physical memory");
    report_check(info->physical_memory == physical_memory, "bootinfo tells where RAM is mapped");
}

/* All pages, one after the other. */

struct survey {
    unsigned foreign_executable; /* executable pages that are not the kernel's */
    struct page foreign;         /* the last of them */
    unsigned writable_executable;
    unsigned strangers;        /* pages outside all the maps of the contract */
    unsigned wrong_read_only;  /* pages outside the kernel that are not writable and ought to be */
    unsigned foreign_tables;   /* tables that are not of type LOADER */
    unsigned nx_without_right; /* entries that say NX on a CPU without it */
    unsigned too_small;        /* pages of the map of physical memory */
    unsigned not_write_back;
};

static bool is_ram(uint32_t type)
{
    return type != BOOTINFO_MEMORY_RESERVED && type != BOOTINFO_MEMORY_BAD;
}

/* Whether [paddr, paddr + bytes), of whole pages, holds RAM in each page; page 0 does. */
static bool is_all_ram(uint64_t paddr, uint64_t bytes)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;
    uint64_t at = paddr == 0 ? PAGE_BYTES : paddr;

    for (uint64_t i = 0; i < info->memory_map_count && at < paddr + bytes; i++, range++) {
        const uint64_t end = range->base_paddr + range->bytes;

        if (!is_ram(range->type) || end <= at)
            continue;
        if ((range->base_paddr & ~(uint64_t)(PAGE_BYTES - 1)) > at)
            return false;
        at = (end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    }
    return at >= paddr + bytes;
}

/* Whether a page of the map of physical memory could be one of the next larger size: that would be
   all RAM with the same rights, and a size that the CPU has. */
static bool could_be_larger(const struct page *page)
{
    const uint64_t bytes = page->bytes * PAGE_ENTRIES;
    const uint64_t paddr = page->paddr & ~(bytes - 1);
    const uint64_t kernel_end =
        info->kernel_paddr + address(contract_end) - address(contract_start);

    if (bytes > (cpu_has_1_gib_pages ? 1ull << page_shift(3) : 1ull << page_shift(2)))
        return false;
    if (paddr < kernel_end && info->kernel_paddr < paddr + bytes)
        return false;
    return is_all_ram(paddr, bytes);
}

static bool is_of_a_map(const struct page *page)
{
    const uint64_t physical = page->vaddr - physical_memory;

    if (page->vaddr >= PAGE_BYTES && page->vaddr + page->bytes <= IDENTITY_END)
        return page->paddr == page->vaddr;
    if (physical < physical_memory_bytes)
        return page->paddr == physical && is_all_ram(page->paddr, page->bytes);
    return page->vaddr >= BOOTINFO_STACK_TOP - STACK_BYTES && page->vaddr < BOOTINFO_STACK_TOP;
}

static void survey_page(struct survey *survey, const struct page *page)
{
    if (page->writable && page->executable)
        survey->writable_executable++;
    if (page->caching != 0)
        survey->not_write_back++;
    if (in_kernel(page->vaddr))
        return;
    if (!is_of_a_map(page))
        survey->strangers++;
    if (page->vaddr - physical_memory < physical_memory_bytes && could_be_larger(page))
        survey->too_small++;
    if (page->executable) {
        survey->foreign_executable++;
        survey->foreign = *page;
    } else if (!page->writable && !is_read_only_kernel_paddr(page->paddr)) {
        survey->wrong_read_only++;
    }
}

static void survey_table(struct survey *survey, uint64_t table, unsigned level, struct page above)
{
    if (memory_type(table & PAGE_ADDRESS, PAGE_BYTES) != BOOTINFO_MEMORY_LOADER)
        survey->foreign_tables++;
    for (uint64_t i = 0; i < PAGE_ENTRIES; i++) {
        const uint64_t entry = page_table(table)[i];
        struct page page = above;

        if ((entry & PAGE_PRESENT) == 0)
            continue;
        page.bytes = 1ull << page_shift(level);
        page.vaddr = page_canonical(above.vaddr + i * page.bytes);
        page.paddr = entry & PAGE_ADDRESS & ~(page.bytes - 1);
        page.caching = page_caching(entry, level);
        page.writable = above.writable && (entry & PAGE_WRITABLE) != 0;
        page.executable = above.executable && (entry & PAGE_NO_EXECUTE) == 0;
        if (!cpu_has_nx && (entry & PAGE_NO_EXECUTE) != 0)
            survey->nx_without_right++;
        if (page_is_leaf(entry, level))
            survey_page(survey, &page);
        else
            survey_table(survey, entry, level - 1, page);
    }
}

static void check_all_pages(void)
{
    struct survey survey = {0};
    const struct page everything = {.writable = true, .executable = true};

    survey_table(&survey, entry_state.cr3, page_levels(), everything);
    report_check(survey.strangers == 0, "nothing else is mapped");
    report_check(survey.wrong_read_only == 0, "all but read-only pages of the kernel is writable");
    report_check(survey.foreign_tables == 0, "the page tables are of type LOADER");
    report_check(survey.nx_without_right == 0, "no entry has NX where the CPU has it not");
    report_check(survey.too_small == 0, "all RAM is mapped by the largest pages of the CPU");
    report_check(survey.not_write_back == 0, "all memory is mapped write-back");
    report_check(!cpu_has_nx || survey.writable_executable == 0,
                 "no page is writable and executable");
    report_check(!cpu_has_nx ||
                     (survey.foreign_executable == 1 && survey.foreign.bytes == PAGE_BYTES &&
                      survey.foreign.vaddr == survey.foreign.paddr),
                 "one page outside the kernel is executable, one to one");
    report_check(!cpu_has_nx ||
                     memory_type(survey.foreign.paddr, PAGE_BYTES) == BOOTINFO_MEMORY_LOADER,
                 "that page is of type LOADER");
}

/* Memory type range registers [Intel SDM vol. 3 §12.11 "Memory Type Range Registers (MTRRs)"]. */

#define MSR_MTRR_COUNT 0xFEu
#define MSR_MTRR_BASE 0x200u /* and one behind it the mask; the next pair follows */
#define MSR_MTRR_DEFAULT 0x2FFu
#define MTRR_ENABLED 0x800u /* in the mask: this pair is in use */
#define MTRR_UNCACHED 0u
#define MTRR_WRITE_BACK 6u
#define MTRR_OF_640_KIB 0x259u /* [0xA0000, 0xC0000), a byte for each 16 KiB */

/* The type of memory above 1 MiB; where several pairs match, "uncached" counts. */
static unsigned mtrr_type(uint64_t paddr)
{
    unsigned type = (unsigned)read_msr(MSR_MTRR_DEFAULT) & 0xFF;

    for (uint32_t i = 0; i < (read_msr(MSR_MTRR_COUNT) & 0xFF); i++) {
        const uint64_t base = read_msr(MSR_MTRR_BASE + 2 * i);
        const uint64_t mask = read_msr(MSR_MTRR_BASE + 2 * i + 1);

        if ((mask & MTRR_ENABLED) == 0 || ((paddr ^ base) & mask & PAGE_ADDRESS) != 0)
            continue;
        type = (unsigned)base & 0xFF;
        if (type == MTRR_UNCACHED)
            return type;
    }
    return type;
}

static bool memory_is_write_back(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;
    bool all = true;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (range->type == BOOTINFO_MEMORY_USABLE && range->base_paddr >= 0x100000)
            all = all && mtrr_type(range->base_paddr) == MTRR_WRITE_BACK &&
                  mtrr_type(range->base_paddr + range->bytes - 1) == MTRR_WRITE_BACK;
    }
    return all;
}

static void check_mtrr(void)
{
    report_check((read_msr(MSR_MTRR_DEFAULT) & MTRR_ENABLED) != 0 && memory_is_write_back(),
                 "the memory type range registers keep memory write-back");
    report_check(read_msr(MTRR_OF_640_KIB) == 0 && mtrr_type(IO_APIC_PADDR) == MTRR_UNCACHED &&
                     mtrr_type(entry_state.apic_base & PAGE_ADDRESS) == MTRR_UNCACHED,
                 "the memory type range registers keep device registers uncached");
}

/* The screen. */

static void check_text_mode(void)
{
    uint8_t mode;

    __asm__ volatile("outb %0, %1" : : "a"((uint8_t)VGA_MISCELLANEOUS), "d"((uint16_t)VGA_INDEX));
    __asm__ volatile("inb %1, %0" : "=a"(mode) : "d"((uint16_t)(VGA_INDEX + 1)));
    report_check((mode & VGA_GRAPHICS_MODE) == 0, "the screen is in text mode");
    report_check(info->framebuffers == 0 && info->framebuffer_count == 0,
                 "there is no framebuffer in text mode");
}

/* Memory. */

static void check_memory_map(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;
    const struct bootinfo_memory_range *before = NULL;
    bool sorted = true, merged = true, whole = true, known = true, aligned = true;

    for (uint64_t i = 0; i < info->memory_map_count; before = range, i++, range++) {
        const bool touches =
            before != NULL && before->base_paddr + before->bytes == range->base_paddr;

        sorted =
            sorted && (before == NULL || (before->base_paddr < range->base_paddr &&
                                          before->bytes <= range->base_paddr - before->base_paddr));
        merged = merged && !(touches && before->type == range->type);
        whole = whole && range->bytes != 0 && range->bytes <= UINT64_MAX - range->base_paddr;
        known = known && range->type >= BOOTINFO_MEMORY_USABLE &&
                range->type <= BOOTINFO_MEMORY_KERNEL && range->reserved == 0;
        aligned = aligned && (range->type != BOOTINFO_MEMORY_USABLE ||
                              (range->base_paddr | range->bytes) % PAGE_BYTES == 0);
        report_text("# range = ");
        report_hex(range->base_paddr);
        report_text(" ");
        report_hex(range->bytes);
        report_text(" ");
        report_decimal(range->type);
        report_text("\n");
    }
    report_check(info->memory_map_count > 0 && whole, "no range of the memory map is empty");
    report_check(sorted, "the memory map is sorted and disjoint");
    report_check(merged, "neighbours of one type are merged");
    report_check(known, "the types of memory are known, the padding is 0");
    report_check(aligned, "usable memory is page-aligned");
}

/* Line 20 is open if 1 MiB apart two addresses are two, in some usable 2 MiB. */
static void check_a20(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)info->memory_map;
    const uint64_t mib = 1024 * 1024;
    bool found = false, open = true;

    for (uint64_t i = 0; i < info->memory_map_count && !found; i++, range++) {
        const uint64_t even = (range->base_paddr + 2 * mib - 1) & ~(2 * mib - 1);

        if (range->type != BOOTINFO_MEMORY_USABLE ||
            even + 2 * mib > range->base_paddr + range->bytes)
            continue;
        volatile uint32_t *low = (volatile uint32_t *)(physical_memory + even);
        volatile uint32_t *high = (volatile uint32_t *)(physical_memory + even + mib);

        *low = 0x11111111;
        *high = 0x22222222;
        open = *low == 0x11111111;
        found = true;
    }
    report_check(found && open, "A20 is open");
}

/* struct bootinfo. */

static void check_bootinfo(void)
{
    report_check(info->magic == BOOTINFO_MAGIC, "the magic is right");
    report_check(info->version == BOOTINFO_VERSION && info->size_bytes == sizeof(*info),
                 "the version and the size are right");
    report_check(info->command_line_bytes == string_bytes(info->command_line),
                 "the length of the command line is right");
    report_check(is_loader_memory(address(info), sizeof(*info)) &&
                     is_loader_memory(info->memory_map, info->memory_map_count *
                                                            sizeof(struct bootinfo_memory_range)),
                 "bootinfo and the memory map lie in memory of type LOADER");
    report_check(
        is_loader_memory(info->loader_name, string_bytes(info->loader_name) + 1) &&
            is_loader_memory(info->loader_version, string_bytes(info->loader_version) + 1) &&
            is_loader_memory(info->command_line, info->command_line_bytes + 1),
        "its strings lie in memory of type LOADER");
    report_check(info->tsc_stage1 != 0 && info->tsc_stage1 < info->tsc_stage2 &&
                     info->tsc_stage2 < info->tsc_loader && info->tsc_loader < info->tsc_load &&
                     info->tsc_load < info->tsc_map && info->tsc_map < info->tsc_enter,
                 "the time stamps grow");
    report_check(info->requests == 0 && info->request_count == 0 && info->modules == 0 &&
                     info->module_count == 0 && info->kernel_file == 0 &&
                     info->kernel_file_bytes == 0,
                 "what was not asked for is 0");
    report_check(info->cpus == 0 && info->cpu_count == 0,
                 "there is no list of CPUs where none was asked for");
    report_check(info->page_levels == 4 && page_levels() == 4 && info->recursive_entry == 0,
                 "there are 4 levels of page tables, and no recursive entry");
    report_check(info->kernel_slide == 0, "a kernel of fixed addresses does not slide");
    report_check(
        (info->tls_template | info->tls_file_bytes | info->tls_memory_bytes | info->tls_align) == 0,
        "without PT_TLS there is no template");
    report_check((info->efi_system_table_paddr | info->efi_memory_map | info->efi_memory_map_bytes |
                  info->efi_descriptor_bytes | info->efi_descriptor_version) == 0,
                 "the fields of EFI are 0 on a BIOS");
    report_string("loader_name", (const char *)info->loader_name);
    report_string("loader_version", (const char *)info->loader_version);
    report_string("command_line", (const char *)info->command_line);
    report_value("boot_drive", info->boot_drive);
    report_value("disk_signature", info->disk_signature);
    report_value("kernel_paddr", info->kernel_paddr);
    report_value("firmware", info->firmware);
    report_value("rsdp_paddr", info->rsdp_paddr);
    report_value("smbios_paddr", info->smbios_paddr);
    report_value("smbios3_paddr", info->smbios3_paddr);
    report_value("wall_clock_s", (uint64_t)info->wall_clock_s);
    report_value("random_source", info->random_source);
    report_value("random_seed", *(const uint64_t *)(const void *)info->random_seed);
}

static void check_own_memory(void)
{
    bool zero = true;

    for (unsigned i = 0; i < BSS_QUADS; i++)
        zero = zero && bss[i] == 0;
    report_check(zero, "bss is zero");
    report_check(data == 0x0123456789ABCDEF && rodata == 0xFEDCBA9876543210,
                 "data and rodata are intact");
    data = bss[BSS_QUADS - 1] = 1;
    report_check(data == 1 && bss[BSS_QUADS - 1] == 1, "data and bss can be written");
}

void contract_main(const struct bootinfo *bootinfo)
{
    report_entered();
    info = bootinfo;
    cpu_has_nx = cpu_has(20);
    cpu_has_1_gib_pages = cpu_has(26);
    physical_memory = page_physical_memory();
    physical_memory_bytes = page_levels() == 5 ? 1ull << 52 : 1ull << 46;
    check_own_memory();
    check_bootinfo();
    check_general_registers(&entry_state);
    check_control_registers(&entry_state);
    check_segments(&entry_state);
    check_apic(&entry_state);
    check_kernel_pages();
    check_stack_pages();
    check_identity_map();
    check_physical_memory_map();
    check_all_pages();
    check_mtrr();
    check_text_mode();
    check_memory_map();
    check_a20();
    report_done();
}
