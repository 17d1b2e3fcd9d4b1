/*
 * The contract kernel, WHAT IS MAPPED: each map by itself, then all pages that there are.
 */
#include "contract.h"

#define WRITE_COMBINING 4u /* the entry of the PAT */
#define IDENTITY_END 0x100000000ull

static bool in_kernel(uint64_t vaddr)
{
    return vaddr >= address(contract_start) && vaddr < address(contract_end);
}

static bool is_read_only_kernel_paddr(uint64_t paddr)
{
    return paddr >= contract_info->kernel_paddr &&
           paddr - contract_info->kernel_paddr <
               address(contract_rodata_end) - address(contract_start);
}

/* Whether all pages of [from, to) have these rights. */
static bool pages_have(const uint8_t *from, const uint8_t *to, bool writable, bool executable)
{
    struct page page;

    for (uint64_t vaddr = address(from); vaddr < address(to); vaddr += PAGE_BYTES) {
        if (!page_find(entry_state.cr3, vaddr, &page) || page.writable != writable ||
            page.executable != (executable || !contract_cpu_has_nx))
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
        const uint64_t paddr = contract_info->kernel_paddr + offset;

        if (in_kernel(base + paddr))
            continue;
        if (!page_find(entry_state.cr3, base + paddr, &page) ||
            page_paddr(entry_state.cr3, base + paddr) != paddr ||
            page.writable == is_read_only_kernel_paddr(paddr) ||
            (page.executable && contract_cpu_has_nx))
            return false;
    }
    return true;
}

static void check_kernel_pages(void)
{
    report_check(page_paddr(entry_state.cr3, contract_info->kernel_vaddr) ==
                         contract_info->kernel_paddr &&
                     contract_info->kernel_vaddr == address(contract_start),
                 "bootinfo tells where the kernel lies");
    report_check(pages_have(contract_start, contract_text_end, false, true),
                 "text is executable and not writable");
    report_check(pages_have(contract_text_end, contract_rodata_end, false, false),
                 "rodata is neither writable nor executable");
    report_check(pages_have(contract_rodata_end, contract_end, true, false),
                 "data and bss are writable and not executable");
    report_check(aliases_are_right(0), "read-only pages are read-only one to one, too");
    report_check(aliases_are_right(contract_physical_memory),
                 "read-only pages are read-only in the map of physical memory, too");
    report_check(contract_memory_type(contract_info->kernel_paddr,
                                      address(contract_end) - address(contract_start)) ==
                     BOOTINFO_MEMORY_KERNEL,
                 "the kernel lies in memory of type KERNEL");
}

static void check_stack_pages(void)
{
    struct page page;
    bool right = true;

    for (uint64_t below = PAGE_BYTES; below <= CONTRACT_STACK_BYTES; below += PAGE_BYTES) {
        right = right && page_find(entry_state.cr3, BOOTINFO_STACK_TOP - below, &page) &&
                page.writable && !(page.executable && contract_cpu_has_nx) &&
                contract_memory_type(page_paddr(entry_state.cr3, BOOTINFO_STACK_TOP - below),
                                     PAGE_BYTES) == BOOTINFO_MEMORY_LOADER;
    }
    report_check(right, "the stack is 64 KiB, writable, not executable, of type LOADER");
    report_check(
        !page_find(entry_state.cr3, BOOTINFO_STACK_TOP - CONTRACT_STACK_BYTES - PAGE_BYTES, &page),
        "the page below the stack is not mapped");
    report_check(!page_find(entry_state.cr3, BOOTINFO_STACK_TOP, &page),
                 "the page above the stack is not mapped");
    report_check(contract_info->stack_top == BOOTINFO_STACK_TOP &&
                     contract_info->stack_bytes == CONTRACT_STACK_BYTES,
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
        (const struct bootinfo_memory_range *)contract_info->memory_map;
    bool right = true;

    for (uint64_t i = 0; i < contract_info->memory_map_count; i++, range++) {
        if (range->type == BOOTINFO_MEMORY_RESERVED || range->type == BOOTINFO_MEMORY_BAD)
            continue;
        for (uint64_t at = 0; at < range->bytes && right; at += PAGE_BYTES) {
            const uint64_t vaddr = contract_physical_memory + range->base_paddr + at;

            right =
                in_kernel(vaddr) || page_paddr(entry_state.cr3, vaddr) == range->base_paddr + at;
        }
    }
    report_check(right, "all RAM is in the map of physical memory");
    report_check(contract_info->physical_memory == contract_physical_memory,
                 "bootinfo tells where RAM is mapped");
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
        (const struct bootinfo_memory_range *)contract_info->memory_map;
    uint64_t at = paddr == 0 ? PAGE_BYTES : paddr;

    for (uint64_t i = 0; i < contract_info->memory_map_count && at < paddr + bytes; i++, range++) {
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
        contract_info->kernel_paddr + address(contract_end) - address(contract_start);

    if (bytes > (contract_cpu_has_1_gib_pages ? 1ull << page_shift(3) : 1ull << page_shift(2)))
        return false;
    if (paddr < kernel_end && contract_info->kernel_paddr < paddr + bytes)
        return false;
    return is_all_ram(paddr, bytes);
}

static bool is_of_a_map(const struct page *page)
{
    const uint64_t physical = page->vaddr - contract_physical_memory;

    if (page->vaddr >= PAGE_BYTES && page->vaddr + page->bytes <= IDENTITY_END)
        return page->paddr == page->vaddr;
    if (physical < contract_physical_memory_bytes)
        return page->paddr == physical && is_all_ram(page->paddr, page->bytes);
    return page->vaddr >= BOOTINFO_STACK_TOP - CONTRACT_STACK_BYTES &&
           page->vaddr < BOOTINFO_STACK_TOP;
}

static bool is_framebuffer(uint64_t paddr)
{
    return contract_memory_type(paddr, PAGE_BYTES) == BOOTINFO_MEMORY_FRAMEBUFFER;
}

static void survey_page(struct survey *survey, const struct page *page)
{
    if (page->writable && page->executable)
        survey->writable_executable++;
    if (page->caching != (is_framebuffer(page->paddr) ? WRITE_COMBINING : 0))
        survey->not_write_back++;
    if (in_kernel(page->vaddr))
        return;
    if (!is_of_a_map(page))
        survey->strangers++;
    if (page->vaddr - contract_physical_memory < contract_physical_memory_bytes &&
        could_be_larger(page))
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
    if (contract_memory_type(table & PAGE_ADDRESS, PAGE_BYTES) != BOOTINFO_MEMORY_LOADER)
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
        if (!contract_cpu_has_nx && (entry & PAGE_NO_EXECUTE) != 0)
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
    report_check(survey.not_write_back == 0,
                 "all memory is mapped write-back, the framebuffer write-combining");
    report_check(!contract_cpu_has_nx || survey.writable_executable == 0,
                 "no page is writable and executable");
    report_check(!contract_cpu_has_nx ||
                     (survey.foreign_executable == 1 && survey.foreign.bytes == PAGE_BYTES &&
                      survey.foreign.vaddr == survey.foreign.paddr),
                 "one page outside the kernel is executable, one to one");
    report_check(!contract_cpu_has_nx || contract_memory_type(survey.foreign.paddr, PAGE_BYTES) ==
                                             BOOTINFO_MEMORY_LOADER,
                 "that page is of type LOADER");
}

void contract_check_pages(void)
{
    check_kernel_pages();
    check_stack_pages();
    check_identity_map();
    check_physical_memory_map();
    check_all_pages();
}
