/*
 * The contract kernel, what is not in the CPU's own registers: its memory type range registers, the
 * screen, line A20.
 */
#include "contract.h"

#define IO_APIC_PADDR 0xFEC00000u
/* The VGA's graphics controller. */
#define VGA_INDEX 0x3CEu
#define VGA_MISCELLANEOUS 6u
#define VGA_GRAPHICS_MODE 0x1u

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
    unsigned type = (unsigned)contract_read_msr(MSR_MTRR_DEFAULT) & 0xFF;

    for (uint32_t i = 0; i < (contract_read_msr(MSR_MTRR_COUNT) & 0xFF); i++) {
        const uint64_t base = contract_read_msr(MSR_MTRR_BASE + 2 * i);
        const uint64_t mask = contract_read_msr(MSR_MTRR_BASE + 2 * i + 1);

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
        (const struct bootinfo_memory_range *)contract_info->memory_map;
    bool all = true;

    for (uint64_t i = 0; i < contract_info->memory_map_count; i++, range++) {
        if (range->type == BOOTINFO_MEMORY_USABLE && range->base_paddr >= 0x100000)
            all = all && mtrr_type(range->base_paddr) == MTRR_WRITE_BACK &&
                  mtrr_type(range->base_paddr + range->bytes - 1) == MTRR_WRITE_BACK;
    }
    return all;
}

static void check_mtrr(void)
{
    report_check((contract_read_msr(MSR_MTRR_DEFAULT) & MTRR_ENABLED) != 0 &&
                     memory_is_write_back(),
                 "the memory type range registers keep memory write-back");
    report_check(contract_read_msr(MTRR_OF_640_KIB) == 0 &&
                     mtrr_type(IO_APIC_PADDR) == MTRR_UNCACHED &&
                     mtrr_type(entry_state.apic_base & PAGE_ADDRESS) == MTRR_UNCACHED,
                 "the memory type range registers keep device registers uncached");
}

/* The screen. */

/* Whether it is what a console needs, and mapped where its address says. */
static bool is_framebuffer(const struct bootinfo_framebuffer *framebuffer)
{
    return framebuffer->address == contract_physical_memory + framebuffer->paddr &&
           framebuffer->bytes == (uint64_t)framebuffer->pitch_bytes * framebuffer->height &&
           framebuffer->width >= 640 && framebuffer->height >= 400 &&
           framebuffer->pitch_bytes >= framebuffer->width * framebuffer->bits_per_pixel / 8u &&
           framebuffer->red_bits > 0 && framebuffer->green_bits > 0 && framebuffer->blue_bits > 0 &&
           contract_memory_type(framebuffer->paddr, framebuffer->bytes) ==
               BOOTINFO_MEMORY_FRAMEBUFFER;
}

/* A machine without a screen has neither. */
static void check_screen(void)
{
    const struct bootinfo_framebuffer *framebuffer =
        (const struct bootinfo_framebuffer *)contract_info->framebuffers;
    const bool is_text = contract_info->flags & BOOTINFO_TEXT_SCREEN;
    uint8_t mode;

    __asm__ volatile("outb %0, %1" : : "a"((uint8_t)VGA_MISCELLANEOUS), "d"((uint16_t)VGA_INDEX));
    __asm__ volatile("inb %1, %0" : "=a"(mode) : "d"((uint16_t)(VGA_INDEX + 1)));
    report_check(!is_text || (mode & VGA_GRAPHICS_MODE) == 0, "the screen is in text mode");
    report_check(framebuffer ? !is_text && contract_info->framebuffer_count == 1 &&
                                   is_framebuffer(framebuffer)
                             : contract_info->framebuffer_count == 0,
                 "there is no framebuffer in text mode");
}

/* Line 20 is open if 1 MiB apart two addresses are two, in some usable 2 MiB. */
static void check_a20(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)contract_info->memory_map;
    const uint64_t mib = 1024 * 1024;
    bool found = false, open = true;

    for (uint64_t i = 0; i < contract_info->memory_map_count && !found; i++, range++) {
        const uint64_t even = (range->base_paddr + 2 * mib - 1) & ~(2 * mib - 1);

        if (range->type != BOOTINFO_MEMORY_USABLE ||
            even + 2 * mib > range->base_paddr + range->bytes)
            continue;
        volatile uint32_t *low = (volatile uint32_t *)(contract_physical_memory + even);
        volatile uint32_t *high = (volatile uint32_t *)(contract_physical_memory + even + mib);

        *low = 0x11111111;
        *high = 0x22222222;
        open = *low == 0x11111111;
        found = true;
    }
    report_check(found && open, "A20 is open");
}

void contract_check_devices(void)
{
    check_mtrr();
    check_screen();
    check_a20();
}
