/*
 * The whole core: loader_main() from the front end's call to the jump, with plans made here.
 */
#include "loader.h"

#include "contract.h"
#include "errors.h"
#include "fake_firmware.h"
#include "page_walk.h"
#include "plan_builder.h"
#include "small_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define HIGH_VADDR 0xffffffff80000000ull
#define RO 0u
#define RW PLAN_WRITABLE
#define RX PLAN_EXECUTABLE

static struct plan_builder builder;

static int set_up(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    return 0;
}

static void a_high_kernel_is_entered(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE);
    builder_command_line(&builder, "root=/dev/null quiet");
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){.command_line = "root=/dev/null quiet"}, HIGH_VADDR,
                       contract_bootinfo()->kernel_paddr);
}

static void a_kernel_at_its_own_address_is_entered(void **state)
{
    const uint64_t address = FAKE_RAM_PADDR + 0x200000;

    (void)state;
    small_kernel_build(&builder, address, address);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){0}, address, address);
}

/* Its pages win over the one-to-one map and over that of all memory; what they hide holds nothing
   of the loader's, wherever in the memory that the loader takes first. */
static void a_moved_kernel_hides_no_data_of_the_loader(void **state)
{
    for (uint64_t i = 0; i < 10; i++) {
        uint64_t hidden = FAKE_RAM_END - (1 + i / 2) * SMALL_KERNEL_BYTES;
        uint64_t vaddr = i % 2 ? hidden : BOOTINFO_PHYSICAL_MEMORY + hidden;

        set_up(state);
        small_kernel_build(&builder, vaddr, 0x100000); /* no RAM */
        assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
        small_kernel_check((struct contract_kernel){0}, vaddr, contract_bootinfo()->kernel_paddr);
    }
}

static void a_kernel_in_the_physical_map_is_entered(void **state)
{
    const uint64_t vaddr = BOOTINFO_PHYSICAL_MEMORY + 0x80000000;

    (void)state;
    small_kernel_build(&builder, vaddr, FAKE_RAM_PADDR);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){0}, vaddr, FAKE_RAM_PADDR);
}

static void a_kernel_in_two_halves_is_entered(void **state)
{
    static const uint8_t bytes[0x2000] = {1};
    const uint64_t low = FAKE_RAM_PADDR + 0x100000, low_bytes = 0x2000, high_bytes = 0x400000;

    (void)state;
    builder_region(&builder, low, low_bytes, low);
    builder_mapping(&builder, low, low_bytes, RX);
    builder_region(&builder, HIGH_VADDR, high_bytes, PLAN_PADDR_ANYWHERE);
    builder_segment(&builder, HIGH_VADDR + 0x1000, bytes, sizeof(bytes));
    builder_mapping(&builder, HIGH_VADDR, high_bytes, RO);
    builder_protocol(&builder, low); /* order is the tool's habit only */
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);

    const struct page page = page_walk(fake_firmware.handover.tables_paddr, 4, HIGH_VADDR);
    const struct contract_pages pages[] = {{HIGH_VADDR, high_bytes, page.paddr, RO, 0},
                                           {low, low_bytes, low, RX, 0}};
    const struct contract_memory memory[] = {{page.paddr, high_bytes}, {low, low_bytes}};
    const struct contract_kernel kernel = {
        .boot = builder_boot(&builder),
        .entry_vaddr = low,
        .stack_bytes = BUILDER_STACK_BYTES,
        .command_line = "",
        .lowest_vaddr = low,
        .lowest_paddr = low,
        .pages = pages,
        .page_count = 2,
        .memory = memory,
        .memory_count = 2,
    };
    contract_check(&kernel);
    assert_int_equal(page.bytes, 0x200000); /* placed so that this is possible */
}

/* Of lengths around that of a page, 170 ranges, and far beyond: nothing that lies behind the copy
   of the map is overwritten, such as the command line. */
static void long_memory_maps_are_handed_over(void **state)
{
    enum { MOST = 5000 };
    static struct bootinfo_memory_range ranges[MOST + 1] = {
        {FAKE_RAM_PADDR, FAKE_RAM_BYTES, BOOTINFO_MEMORY_USABLE, 0},
    };

    (void)state;
    small_kernel_build(&builder, HIGH_VADDR,
                       FAKE_RAM_PADDR); /* the freed plan makes one range more */
    builder_command_line(&builder, "still here");
    fake_firmware.ranges = ranges;
    for (uint64_t i = 0; i < MOST; i++)
        ranges[i + 1] = (struct bootinfo_memory_range){0x200000000 + i * 0x2000, 0x1000,
                                                       BOOTINFO_MEMORY_USABLE, 0};
    for (size_t count = 150; count <= MOST; count = count == 180 ? MOST : count + 1) {
        fake_firmware.range_count = count + 1;
        assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);

        const struct bootinfo *info = contract_bootinfo();
        const struct bootinfo_memory_range *map = contract_at(info->memory_map);
        assert_memory_equal(&map[info->memory_map_count - count], &ranges[1], count * sizeof(*map));
        assert_string_equal(contract_at(info->command_line), "still here");
    }
}

static void count_table(void *context, uint64_t table_paddr)
{
    (void)table_paddr;
    ++*(size_t *)context;
}

/* Boot with one more range; returns how many tables there are. */
static size_t tables_with(uint64_t paddr, uint64_t bytes, uint32_t type, bool has_5_levels)
{
    const struct bootinfo_memory_range ranges[] = {
        {FAKE_RAM_PADDR, FAKE_RAM_BYTES, BOOTINFO_MEMORY_USABLE, 0},
        {paddr, bytes, type, 0},
    };
    size_t count = 0;

    set_up(NULL);
    fake_firmware.ranges = ranges;
    fake_firmware.range_count = 2;
    small_kernel_build(&builder, HIGH_VADDR, FAKE_RAM_PADDR);
    builder_request(&builder, BOOTINFO_REQUEST_LEVELS, has_5_levels ? 5 : 4, 0, 0, 0);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    page_tables_each(fake_firmware.handover.tables_paddr, fake_firmware.handover.levels,
                     count_table, &count);
    return count;
}

static struct page walk(uint64_t vaddr)
{
    const struct handover *handover = &fake_firmware.handover;

    return page_walk(handover->tables_paddr, handover->levels, vaddr);
}

#define GIB (1ull << 30)
#define TIB (1ull << 40)

/* Page tables are as many as the memory that is there needs, wherever it lies. */
static void far_memory_costs_what_it_is_worth(void **state)
{
    const size_t least =
        tables_with(FAKE_RAM_PADDR, PAGE, BOOTINFO_MEMORY_USABLE, false); /* nothing more */
    static const uint32_t types[] = {BOOTINFO_MEMORY_RESERVED, BOOTINFO_MEMORY_BAD};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tables_with(TIB - 12 * GIB, 12 * GIB, types[i], false), least);
        assert_false(walk(BOOTINFO_PHYSICAL_MEMORY + TIB - 12 * GIB).is_mapped);
        assert_int_equal(tables_with(TIB, UINT64_MAX - TIB, types[i], false), least);
        assert_false(walk(BOOTINFO_PHYSICAL_MEMORY + TIB).is_mapped);
    }
    assert_int_equal(tables_with(TIB, 4 * GIB, BOOTINFO_MEMORY_USABLE, false), least + 1);
    assert_int_equal(walk(BOOTINFO_PHYSICAL_MEMORY + TIB).bytes, GIB);
    /* A new root, above a table for low addresses, for high ones, and for those of all memory. */
    assert_int_equal(tables_with(TIB, 4 * GIB, BOOTINFO_MEMORY_USABLE, true), least + 1 + 3);
    assert_int_equal(walk(BOOTINFO_PHYSICAL_MEMORY_5 + TIB).bytes, GIB);
}

/* Up to 64 TiB with 4 levels, all of it with 5, and never more than the CPU has wires for. */
static void memory_is_mapped_as_far_as_it_goes(void **state)
{
    const uint64_t end = 1ull << 46, start = end - GIB;

    (void)state;
    tables_with(start, 2 * GIB, BOOTINFO_MEMORY_USABLE, false);
    assert_true(walk(BOOTINFO_PHYSICAL_MEMORY + end - 1).is_mapped);
    assert_false(walk(BOOTINFO_PHYSICAL_MEMORY + end).is_mapped);
    tables_with(start, 2 * GIB, BOOTINFO_MEMORY_USABLE, true);
    assert_true(walk(BOOTINFO_PHYSICAL_MEMORY_5 + end - 1).is_mapped);
    assert_true(walk(BOOTINFO_PHYSICAL_MEMORY_5 + end).is_mapped);
    tables_with((1ull << 48) - GIB, 2 * GIB, BOOTINFO_MEMORY_USABLE, true);
    assert_true(walk(BOOTINFO_PHYSICAL_MEMORY_5 + (1ull << 48) - 1).is_mapped);
    assert_false(walk(BOOTINFO_PHYSICAL_MEMORY_5 + (1ull << 48)).is_mapped);
    tables_with(start + GIB, GIB, BOOTINFO_MEMORY_USABLE, false);
    assert_false(walk(BOOTINFO_PHYSICAL_MEMORY + end).is_mapped);
}

/* Each step's failure stops the boot; the firmware was not left, nothing was entered. */
static void an_unknown_protocol_is_an_error(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE)->protocol = 99;
    small_kernel_fails(&builder, ERROR_PLAN_UNKNOWN);
}

static void a_damaged_plan_is_an_error(void **state)
{
    (void)state;
    small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
}

static void a_damaged_payload_is_an_error(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE);
    builder.partition[BUILDER_PAYLOAD_OFFSET] ^= 1;
    small_kernel_fails(&builder, ERROR_PAYLOAD_DAMAGED);
}

/* Whichever sector it is. */
static void a_bad_sector_is_an_error(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE);
    fake_firmware.bad_lba = BUILDER_PLAN_LBA;
    small_kernel_fails(&builder, ERROR_DISK_READ);
    for (uint64_t i = 0; i < 3; i++) {
        fake_firmware.bad_lba = BUILDER_PLAN_LBA + BUILDER_PAYLOAD_OFFSET / IMAGE_SECTOR_BYTES + i;
        small_kernel_fails(&builder, ERROR_DISK_READ);
    }
    fake_firmware.bad_lba++;
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
}

static void too_large_a_kernel_is_an_error(void **state)
{
    (void)state;
    builder_protocol(&builder, HIGH_VADDR);
    builder_region(&builder, HIGH_VADDR, FAKE_RAM_BYTES, PLAN_PADDR_ANYWHERE);
    builder_mapping(&builder, HIGH_VADDR, 0x1000, RX);
    small_kernel_fails(&builder, ERROR_NO_MEMORY);
}

static void too_large_a_stack_is_an_error(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE)->stack_bytes = FAKE_RAM_BYTES;
    small_kernel_fails(&builder, ERROR_NO_MEMORY);
}

/* Page by page more: an error, until it is enough. */
static void too_little_memory_is_an_error(void **state)
{
    unsigned int stopped = 0;

    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, PLAN_PADDR_ANYWHERE);
    for (uint64_t pages = 1; pages < 100; pages++) {
        const struct bootinfo_memory_range ranges[] = {
            {0, 0x9fc00, BOOTINFO_MEMORY_USABLE, 0},
            {FAKE_RAM_PADDR, pages * 0x1000, BOOTINFO_MEMORY_USABLE, 0},
        };

        fake_firmware.ranges = ranges;
        fake_firmware.range_count = 2;
        if (small_kernel_boot(&builder) == FAKE_ENTERED)
            break;
        assert_int_equal(fake_error(), ERROR_NO_MEMORY);
        stopped++;
    }
    assert_in_range(stopped, 30, 60);
}

static void too_small_a_map_is_an_error(void **state)
{
    (void)state;
    small_kernel_build(&builder, HIGH_VADDR, FAKE_RAM_PADDR + 0x100000);
    for (fake_firmware.map_capacity = 0; small_kernel_boot(&builder) == FAKE_STOPPED;) {
        assert_int_equal(fake_error(), ERROR_MEMORY_MAP_FULL);
        fake_firmware.map_capacity++;
    }
    assert_in_range(fake_firmware.map_capacity, FAKE_RANGES, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_high_kernel_is_entered, set_up),
        cmocka_unit_test_setup(a_kernel_at_its_own_address_is_entered, set_up),
        cmocka_unit_test(a_moved_kernel_hides_no_data_of_the_loader),
        cmocka_unit_test_setup(a_kernel_in_the_physical_map_is_entered, set_up),
        cmocka_unit_test_setup(a_kernel_in_two_halves_is_entered, set_up),
        cmocka_unit_test_setup(long_memory_maps_are_handed_over, set_up),
        cmocka_unit_test(far_memory_costs_what_it_is_worth),
        cmocka_unit_test(memory_is_mapped_as_far_as_it_goes),
        cmocka_unit_test_setup(an_unknown_protocol_is_an_error, set_up),
        cmocka_unit_test_setup(a_damaged_plan_is_an_error, set_up),
        cmocka_unit_test_setup(a_damaged_payload_is_an_error, set_up),
        cmocka_unit_test_setup(a_bad_sector_is_an_error, set_up),
        cmocka_unit_test_setup(too_large_a_kernel_is_an_error, set_up),
        cmocka_unit_test_setup(too_large_a_stack_is_an_error, set_up),
        cmocka_unit_test_setup(too_little_memory_is_an_error, set_up),
        cmocka_unit_test_setup(too_small_a_map_is_an_error, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
