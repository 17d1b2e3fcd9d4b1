/*
 * The boot information, as far as a kernel lives by it: the memory map above all. The whole
 * contract is proved by tests/boot/kernels/contract.c.
 */
#include "test.h"

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096

static uint8_t in_bss[PAGE_BYTES];
static const uint8_t in_rodata[PAGE_BYTES];

static const struct bootinfo_memory_range *ranges(const struct bootinfo *info)
{
    return (const struct bootinfo_memory_range *)info->memory_map;
}

/* The type of the memory at a physical address; 0: none. */
static uint32_t type_at(const struct bootinfo *info, uint64_t paddr)
{
    const struct bootinfo_memory_range *map = ranges(info);

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        if (paddr >= map[i].base_paddr && paddr - map[i].base_paddr < map[i].bytes)
            return map[i].type;
    }
    return 0;
}

KERNEL_TEST(bootinfo_map_is_sorted_and_disjoint)
{
    const struct bootinfo_memory_range *map = ranges(info);

    KERNEL_EXPECT(info->memory_map_count > 0);
    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        KERNEL_EXPECT(map[i].bytes > 0);
        KERNEL_EXPECT(map[i].base_paddr + map[i].bytes > map[i].base_paddr);
        KERNEL_EXPECT(i == 0 || map[i].base_paddr >= map[i - 1].base_paddr + map[i - 1].bytes);
    }
}

KERNEL_TEST(bootinfo_map_knows_the_kernel)
{
    uint64_t slide = info->kernel_paddr - info->kernel_vaddr;

    KERNEL_EXPECT(type_at(info, (uintptr_t)in_bss + slide) == BOOTINFO_MEMORY_KERNEL);
    KERNEL_EXPECT(type_at(info, (uintptr_t)in_rodata + slide) == BOOTINFO_MEMORY_KERNEL);
}

/* Writes a page and gives whether it holds what was written; what it held stays. */
static bool keeps(volatile uint64_t *word, uint64_t value)
{
    uint64_t before = *word;
    bool kept;

    *word = value;
    kept = *word == value;
    *word = before;
    return kept;
}

KERNEL_TEST(bootinfo_usable_memory_can_be_used)
{
    const struct bootinfo_memory_range *map = ranges(info);
    uint64_t usable_bytes = 0;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        uint64_t address = info->physical_memory + map[i].base_paddr;

        if (map[i].type != BOOTINFO_MEMORY_USABLE)
            continue;
        KERNEL_EXPECT(map[i].base_paddr % PAGE_BYTES == 0 && map[i].bytes % PAGE_BYTES == 0);
        KERNEL_EXPECT(keeps((volatile uint64_t *)address, address));
        KERNEL_EXPECT(
            keeps((volatile uint64_t *)(address + map[i].bytes - sizeof(uint64_t)), ~0ul));
        usable_bytes += map[i].bytes;
    }
    KERNEL_EXPECT(usable_bytes > 0);
}

KERNEL_TEST(bootinfo_stack_is_where_it_is_told)
{
    uint64_t here = (uintptr_t)__builtin_frame_address(0);

    KERNEL_EXPECT(here < info->stack_top && here >= info->stack_top - info->stack_bytes);
}

KERNEL_TEST(bootinfo_marks_of_time_rise)
{
    KERNEL_EXPECT(info->tsc_stage1 < info->tsc_stage2);
    KERNEL_EXPECT(info->tsc_stage2 < info->tsc_loader);
    KERNEL_EXPECT(info->tsc_loader < info->tsc_load);
    KERNEL_EXPECT(info->tsc_load < info->tsc_map);
    KERNEL_EXPECT(info->tsc_map < info->tsc_enter);
}
