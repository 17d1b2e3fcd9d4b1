/*
 * Usable memory is nobody's: this kernel writes 0xFF to every byte of it and goes on. The page
 * tables are read anew after that, all usable memory still is 0xFF, and nothing else has changed.
 *
 * Linked by contract.ld. The rest of memory is judged by a fingerprint; of the kernel and the
 * stack, which change while it runs, the text and the constants are part of it.
 */
#include "page_walk.h"
#include "report.h"

#define LOW_MEMORY_END 0xA0000u
#define QUADS_AT_ONCE 8 /* a page is a multiple of this */
#define ALL_ONES UINT64_MAX
/* The CPU itself notes in entries of page tables what was accessed and written. */
#define ACCESSED_DIRTY 0x60ull

extern uint8_t contract_start[];
extern uint8_t contract_rodata_end[];
extern uint8_t contract_end[];

void _start(const struct bootinfo *info);

static const struct bootinfo *info;

static const struct bootinfo_memory_range *ranges(void)
{
    return (const struct bootinfo_memory_range *)info->memory_map;
}

static volatile uint64_t *at_paddr(uint64_t paddr)
{
    return (volatile uint64_t *)(info->physical_memory + paddr);
}

static void fill(uint64_t paddr, uint64_t bytes)
{
    uint64_t *quad = (uint64_t *)(info->physical_memory + paddr);
    uint64_t count = bytes / sizeof(*quad);

    __asm__ volatile("rep stosq" : "+D"(quad), "+c"(count) : "a"(ALL_ONES) : "memory");
}

static bool is_filled(uint64_t paddr, uint64_t bytes)
{
    const volatile uint64_t *quad = at_paddr(paddr);
    const volatile uint64_t *end = quad + bytes / sizeof(*quad);
    uint64_t all = ALL_ONES;

    for (; quad != end; quad += QUADS_AT_ONCE)
        all &= quad[0] & quad[1] & quad[2] & quad[3] & quad[4] & quad[5] & quad[6] & quad[7];
    return all == ALL_ONES;
}

static uint64_t fingerprint_of(uint64_t fingerprint, uint64_t paddr, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes / sizeof(uint64_t); i++)
        fingerprint =
            (fingerprint << 5 | fingerprint >> 59) ^ (at_paddr(paddr)[i] & ~ACCESSED_DIRTY);
    return fingerprint;
}

/* Whether a page belongs to what changes while this kernel runs: its data, its stack. */
static bool is_ours(uint64_t paddr)
{
    const uint64_t data = (uint64_t)((uintptr_t)contract_rodata_end - (uintptr_t)contract_start);
    const uint64_t end = (uint64_t)((uintptr_t)contract_end - (uintptr_t)contract_start);
    const uint64_t offset = paddr - info->kernel_paddr;
    uint64_t cr3;

    if (offset >= data && offset < end)
        return true;
    __asm__("mov %%cr3, %0" : "=r"(cr3));
    for (uint64_t below = PAGE_BYTES; below <= info->stack_bytes; below += PAGE_BYTES) {
        if (page_paddr(cr3, info->stack_top - below) == paddr)
            return true;
    }
    return false;
}

/* Of all that is to be kept, page by page. */
static uint64_t fingerprint(void)
{
    uint64_t result = 0;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        const struct bootinfo_memory_range *range = &ranges()[i];

        if (range->type == BOOTINFO_MEMORY_USABLE || range->type == BOOTINFO_MEMORY_RESERVED ||
            range->type == BOOTINFO_MEMORY_BAD)
            continue;
        for (uint64_t at = 0; at < range->bytes; at += PAGE_BYTES) {
            if (!is_ours(range->base_paddr + at))
                result = fingerprint_of(result, range->base_paddr + at, PAGE_BYTES);
        }
    }
    return result;
}

static uint64_t usable_below(uint64_t end)
{
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        if (ranges()[i].type == BOOTINFO_MEMORY_USABLE && ranges()[i].base_paddr < end)
            bytes += ranges()[i].bytes;
    }
    return bytes;
}

static void fill_all(void)
{
    uint64_t cr3;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        if (ranges()[i].type == BOOTINFO_MEMORY_USABLE)
            fill(ranges()[i].base_paddr, ranges()[i].bytes);
    }
    /* Forget what the CPU knows of the page tables. */
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

static bool all_filled(void)
{
    bool filled = true;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        if (ranges()[i].type == BOOTINFO_MEMORY_USABLE)
            filled = filled && is_filled(ranges()[i].base_paddr, ranges()[i].bytes);
    }
    return filled;
}

void _start(const struct bootinfo *bootinfo)
{
    report_entered();
    info = bootinfo;
    const uint64_t before = fingerprint();

    report_value("usable", usable_below(UINT64_MAX));
    report_value("usable_low", usable_below(LOW_MEMORY_END));
    fill_all();
    report_check(all_filled(), "every usable byte can be written");
    report_check(fingerprint() == before, "nothing else has changed");
    report_check(info->magic == BOOTINFO_MAGIC, "bootinfo is intact");
    report_done();
}
