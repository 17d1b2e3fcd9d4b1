/*
 * Placement: regions at the address they ask for where it is free, anywhere else, or an error.
 */
#include "placement.h"

#include "errors.h"
#include "fake_firmware.h"
#include "handover.h"
#include "memory_map.h"
#include "plan.h"
#include "plan_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define MIB 0x100000ull
#define HIGH_VADDR 0xffffffff80000000ull

static struct plan_builder builder;
static struct memory_map map;
static struct plan plan;
static uint64_t physical_memory;

/* All of RAM is free: the plan lies in the builder's memory, as if read to there. */
static int set_up(void **state)
{
    (void)state;
    fake_firmware.printed[0] = '\0';
    firmware_memory_map(&map);
    memory_map_align(&map);
    builder_start(&builder);
    physical_memory = BOOTINFO_PHYSICAL_MEMORY;
    return 0;
}

static void place(void *argument)
{
    (void)argument;
    plan = (struct plan){builder.prefix, BUILDER_PLAN_LBA, builder.prefix->plan_bytes};
    placement_place(&plan, &map, physical_memory);
}

static void reserve(uint64_t paddr, uint64_t bytes)
{
    memory_map_add(&map, paddr, bytes, BOOTINFO_MEMORY_RESERVED);
}

static void assert_placed(void)
{
    assert_int_equal(fake_run(place, NULL), FAKE_RETURNED);
}

static void assert_no_memory(void)
{
    assert_int_equal(fake_run(place, NULL), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_NO_MEMORY);
}

static uint32_t type_at(uint64_t paddr)
{
    for (size_t i = 0; i < map.count; i++) {
        if (paddr >= map.ranges[i].base_paddr &&
            paddr - map.ranges[i].base_paddr < map.ranges[i].bytes)
            return map.ranges[i].type;
    }
    return 0;
}

/* Exactly these bytes are the kernel's. */
static void assert_kernel(uint64_t paddr, uint64_t bytes)
{
    assert_int_equal(type_at(paddr), BOOTINFO_MEMORY_KERNEL);
    assert_int_equal(type_at(paddr + bytes - 1), BOOTINFO_MEMORY_KERNEL);
    assert_int_not_equal(type_at(paddr - 1), BOOTINFO_MEMORY_KERNEL);
    assert_int_not_equal(type_at(paddr + bytes), BOOTINFO_MEMORY_KERNEL);
}

static void a_free_address_is_kept(void **state)
{
    struct plan_region *region =
        builder_region(&builder, HIGH_VADDR, 3 * MIB, FAKE_RAM_PADDR + MIB);

    (void)state;
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_PADDR + MIB);
    assert_kernel(region->paddr, region->bytes);
}

static void a_taken_address_is_left(void **state)
{
    struct plan_region *region =
        builder_region(&builder, HIGH_VADDR, 3 * MIB, FAKE_RAM_PADDR + MIB);

    (void)state;
    reserve(FAKE_RAM_PADDR + 4 * MIB - PAGE, PAGE);
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_END - 4 * MIB);
    assert_kernel(region->paddr, region->bytes);
}

/* Memory that the firmware still has is for later: who may move moves, who may not waits. */
static void leased_memory_is_for_those_who_must(void **state)
{
    struct handover handover = {0};
    struct plan_region *may = builder_region(&builder, HIGH_VADDR, 2 * MIB, FAKE_RAM_PADDR + MIB);
    struct plan_region *must =
        builder_region(&builder, HIGH_VADDR + 4 * MIB, MIB, FAKE_RAM_PADDR + 3 * MIB);

    (void)state;
    must->flags = 0;
    memory_map_retype(&map, FAKE_RAM_PADDR + MIB, PAGE, BOOTINFO_MEMORY_USABLE, MEMORY_LEASED);
    memory_map_retype(&map, FAKE_RAM_PADDR + 4 * MIB - PAGE, PAGE, BOOTINFO_MEMORY_USABLE,
                      MEMORY_LEASED);
    assert_placed();
    assert_int_equal(may->staging_page, 0);
    assert_int_not_equal(may->paddr, FAKE_RAM_PADDR + MIB);
    assert_int_equal(type_at(FAKE_RAM_PADDR + MIB), MEMORY_LEASED);
    assert_int_equal(must->paddr, FAKE_RAM_PADDR + 3 * MIB);
    assert_int_equal(type_at(must->paddr), BOOTINFO_MEMORY_KERNEL);
    assert_int_equal(type_at(must->paddr + MIB - 1), BOOTINFO_MEMORY_KERNEL);
    assert_int_equal(type_at(plan_load_paddr(must)), MEMORY_STAGED);
    assert_int_equal(type_at(plan_load_paddr(must) + MIB - 1), MEMORY_STAGED);
    placement_list_moves(&plan, &map, &handover, 0);
    const struct handover_move *moves = (const void *)(uintptr_t)handover.moves_paddr;
    assert_int_equal(handover.move_count, 1);
    assert_int_equal(moves[0].from_paddr, plan_load_paddr(must));
    assert_int_equal(moves[0].to_paddr, must->paddr);
    assert_int_equal(moves[0].bytes, MIB);
}

static void an_address_without_ram_is_left(void **state)
{
    struct plan_region *region = builder_region(&builder, HIGH_VADDR, MIB, 16 * MIB);
    struct plan_region *end =
        builder_region(&builder, HIGH_VADDR + 4 * MIB, MIB, FAKE_RAM_END - PAGE);

    (void)state;
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_END - MIB);
    assert_int_equal(end->paddr, FAKE_RAM_END - 2 * MIB);
    assert_kernel(end->paddr, 2 * MIB);
}

static void what_cannot_move_is_an_error(void **state)
{
    struct plan_region *region =
        builder_region(&builder, HIGH_VADDR, 3 * MIB, FAKE_RAM_PADDR + MIB);

    (void)state;
    region->flags = 0;
    reserve(FAKE_RAM_PADDR + 2 * MIB, 1);
    assert_int_equal(fake_run(place, NULL), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLACE_TAKEN);
}

static void what_cannot_move_is_kept_where_free(void **state)
{
    struct plan_region *region = builder_region(&builder, HIGH_VADDR, 3 * MIB, FAKE_RAM_PADDR);

    (void)state;
    region->flags = 0;
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_PADDR);
}

static void large_regions_can_have_large_pages(void **state)
{
    struct plan_region *region =
        builder_region(&builder, HIGH_VADDR + 0x123000, 2 * MIB, PLAN_PADDR_ANYWHERE);
    struct plan_region *small =
        builder_region(&builder, HIGH_VADDR + 0x523000, 2 * MIB - PAGE, PLAN_PADDR_ANYWHERE);

    (void)state;
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_END - 4 * MIB + 0x123000);
    assert_int_equal(small->paddr, FAKE_RAM_END - 4 * MIB + 0x123000 - 2 * MIB + PAGE);
    assert_kernel(small->paddr, small->bytes + region->bytes);
}

/* Rather small pages than no boot. */
static void large_regions_take_what_there_is(void **state)
{
    struct plan_region *region =
        builder_region(&builder, HIGH_VADDR, FAKE_RAM_BYTES - PAGE, PLAN_PADDR_ANYWHERE);

    (void)state;
    reserve(FAKE_RAM_PADDR, PAGE);
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_PADDR + PAGE);
}

static void too_little_memory_is_an_error(void **state)
{
    static const uint64_t sizes[] = {FAKE_RAM_BYTES + PAGE, 1ull << 32, 1ull << 63, 0 - PAGE};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        set_up(state);
        builder_region(&builder, 0, sizes[i], PLAN_PADDR_ANYWHERE);
        assert_no_memory();
    }
    set_up(state);
    builder_region(&builder, HIGH_VADDR, FAKE_RAM_BYTES / 2, PLAN_PADDR_ANYWHERE);
    builder_region(&builder, 0, FAKE_RAM_BYTES / 2, PLAN_PADDR_ANYWHERE);
    reserve(FAKE_RAM_END - PAGE, PAGE);
    assert_no_memory();
}

/* Regions that may lie anywhere come last, wherever they stand in the plan. */
static void fixed_regions_are_placed_first(void **state)
{
    struct plan_region *anywhere =
        builder_region(&builder, HIGH_VADDR, 4 * MIB, PLAN_PADDR_ANYWHERE);
    struct plan_region *fixed =
        builder_region(&builder, HIGH_VADDR + 8 * MIB, 2 * MIB, FAKE_RAM_END - 2 * MIB);
    struct plan_region *same =
        builder_region(&builder, HIGH_VADDR + 16 * MIB, 2 * MIB, FAKE_RAM_END - 2 * MIB);

    (void)state;
    assert_placed();
    assert_int_equal(fixed->paddr, FAKE_RAM_END - 2 * MIB);
    assert_int_equal(anywhere->paddr, FAKE_RAM_END - 6 * MIB);
    assert_int_equal(same->paddr, FAKE_RAM_END - 8 * MIB);
    assert_kernel(same->paddr, 8 * MIB);
}

static void many_regions_share_no_byte(void **state)
{
    enum { REGIONS = 500 };
    static struct plan_region *regions[REGIONS];
    uint64_t total = 0;

    (void)state;
    for (uint64_t i = 0; i < REGIONS; i++) {
        uint64_t paddr = i % 3 ? PLAN_PADDR_ANYWHERE : FAKE_RAM_PADDR + i * 7 * PAGE;

        regions[i] = builder_region(&builder, HIGH_VADDR + i * MIB, (1 + i % 11) * PAGE, paddr);
        total += regions[i]->bytes;
    }
    assert_placed();
    for (size_t i = 0; i < REGIONS; i++) {
        assert_int_equal(type_at(regions[i]->paddr), BOOTINFO_MEMORY_KERNEL);
        for (size_t k = 0; k < i; k++)
            assert_true(regions[i]->paddr + regions[i]->bytes <= regions[k]->paddr ||
                        regions[k]->paddr + regions[k]->bytes <= regions[i]->paddr);
    }
    for (size_t i = 0; i < map.count; i++)
        total -= map.ranges[i].type == BOOTINFO_MEMORY_KERNEL ? map.ranges[i].bytes : 0;
    assert_int_equal(total, 0);
}

/* A region or a map of its own hides it, from the one-to-one map or from that of all memory. */
static void memory_behind_the_kernel_is_shadowed(void **state)
{
    static const uint64_t offsets[] = {0, BOOTINFO_PHYSICAL_MEMORY, 0, BOOTINFO_PHYSICAL_MEMORY_5};

    for (size_t i = 0; i < 8; i++) {
        const uint64_t behind = FAKE_RAM_END - 2 * MIB, vaddr = offsets[i / 2] + behind;

        set_up(state);
        if (i >= 4)
            physical_memory = BOOTINFO_PHYSICAL_MEMORY_5;
        reserve(FAKE_RAM_PADDR, PAGE);
        builder_region(&builder, i % 2 ? HIGH_VADDR : vaddr, MIB, FAKE_RAM_PADDR);
        if (i % 2)
            builder_request(&builder, BOOTINFO_REQUEST_MAP, vaddr, 0xfed00000, MIB, 0);
        assert_placed();
        assert_int_equal(type_at(behind - 1), BOOTINFO_MEMORY_USABLE);
        assert_int_equal(type_at(behind), MEMORY_SHADOWED);
        assert_int_equal(type_at(behind + MIB - 1), MEMORY_SHADOWED);
        assert_kernel(behind + MIB, MIB);
    }
}

/* One that begins before the map of all memory and ends in it. */
static void a_map_can_hide_the_start_of_memory(void **state)
{
    (void)state;
    builder_request(&builder, BOOTINFO_REQUEST_MAP, BOOTINFO_PHYSICAL_MEMORY - MIB, 0,
                    MIB + FAKE_RAM_PADDR + PAGE, 0);
    assert_placed();
    assert_int_equal(type_at(FAKE_RAM_PADDR), MEMORY_SHADOWED);
    assert_int_equal(type_at(FAKE_RAM_PADDR + PAGE), BOOTINFO_MEMORY_USABLE);
}

/* A fixed address may lie behind another region, or behind itself. */
static void shadowed_memory_can_be_asked_for(void **state)
{
    struct plan_region *region =
        builder_region(&builder, FAKE_RAM_PADDR, 2 * MIB, FAKE_RAM_PADDR + MIB);

    (void)state;
    assert_placed();
    assert_int_equal(region->paddr, FAKE_RAM_PADDR + MIB);
    assert_int_equal(type_at(FAKE_RAM_PADDR), MEMORY_SHADOWED);
    assert_kernel(FAKE_RAM_PADDR + MIB, 2 * MIB);
}

static void no_region_is_no_error(void **state)
{
    (void)state;
    assert_placed();
    assert_true(memory_map_is_free(&map, FAKE_RAM_PADDR, FAKE_RAM_BYTES));
}

static int start(void **state)
{
    (void)state;
    fake_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_free_address_is_kept, set_up),
        cmocka_unit_test_setup(a_taken_address_is_left, set_up),
        cmocka_unit_test_setup(leased_memory_is_for_those_who_must, set_up),
        cmocka_unit_test_setup(an_address_without_ram_is_left, set_up),
        cmocka_unit_test_setup(what_cannot_move_is_an_error, set_up),
        cmocka_unit_test_setup(what_cannot_move_is_kept_where_free, set_up),
        cmocka_unit_test_setup(large_regions_can_have_large_pages, set_up),
        cmocka_unit_test_setup(large_regions_take_what_there_is, set_up),
        cmocka_unit_test(too_little_memory_is_an_error),
        cmocka_unit_test_setup(fixed_regions_are_placed_first, set_up),
        cmocka_unit_test_setup(many_regions_share_no_byte, set_up),
        cmocka_unit_test_setup(memory_behind_the_kernel_is_shadowed, set_up),
        cmocka_unit_test_setup(a_map_can_hide_the_start_of_memory, set_up),
        cmocka_unit_test_setup(shadowed_memory_can_be_asked_for, set_up),
        cmocka_unit_test_setup(no_region_is_no_error, set_up),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
