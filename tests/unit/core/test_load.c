/*
 * Loading: every byte of a region is the segment's or 0, nothing else is touched, and a wrong byte
 * on the disk is found.
 */
#include "load.h"

#include "cpu.h"
#include "errors.h"
#include "fake_firmware.h"
#include "plan.h"
#include "plan_builder.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VADDR 0xffffffff80000000ull
#define PADDR (FAKE_RAM_PADDR + 0x10000)
#define REGION_BYTES 0x200000u
#define MOST_SEGMENTS 1000

static struct plan_builder builder;
static uint8_t expected[REGION_BYTES];
static struct load_ticks ticks;

static int set_up(void **state)
{
    (void)state;
    fake_start();
    memset(expected, 0, sizeof(expected));
    builder_start(&builder);
    return 0;
}

static void add_segment(struct random *random, uint64_t offset, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        expected[offset + i] = (uint8_t)random_bits(random);
    builder_segment(&builder, VADDR + offset, expected + offset, bytes);
}

static void load(void *argument)
{
    const struct plan plan = {builder.prefix, BUILDER_PLAN_LBA, builder.prefix->plan_bytes};

    (void)argument;
    load_regions(&plan, &ticks);
}

static enum fake_end end_of_load(void)
{
    builder_finish(&builder);
    return fake_run(load, NULL);
}

static void assert_loaded(uint64_t bytes)
{
    const uint8_t *before = (const void *)(uintptr_t)FAKE_RAM_PADDR;
    const uint8_t *region = (const void *)(uintptr_t)PADDR;

    assert_int_equal(end_of_load(), FAKE_RETURNED);
    assert_memory_equal(region, expected, bytes);
    for (uint64_t i = 0; i < PADDR - FAKE_RAM_PADDR; i++)
        assert_int_equal(before[i], FAKE_RAM_JUNK);
    for (uint64_t i = 0; i < 0x10000; i++)
        assert_int_equal(region[bytes + i], FAKE_RAM_JUNK);
}

static void a_region_without_segments_is_zero(void **state)
{
    (void)state;
    builder_region(&builder, VADDR, 0x5000, PADDR);
    assert_loaded(0x5000);
}

static void a_segment_can_fill_its_region(void **state)
{
    struct random random = {8};

    (void)state;
    builder_region(&builder, VADDR, 0x3000, PADDR);
    add_segment(&random, 0, 0x3000);
    assert_loaded(0x3000);
}

static void segments_lie_between_zeros(void **state)
{
    struct random random = {9};

    (void)state;
    builder_region(&builder, VADDR, 0x6000, PADDR);
    add_segment(&random, 1, 1);
    add_segment(&random, 0x123, 0x1fff);
    add_segment(&random, 0x2122, 511); /* at once behind it */
    add_segment(&random, 0x3000, 0);
    add_segment(&random, 0x3000, 513);
    add_segment(&random, 0x5ffe, 1);
    builder_mapping(&builder, VADDR, 0x6000, 0);
    assert_loaded(0x6000);
}

/* Mappings stand between segments here: the order within a region is the tool's habit only. */
static void many_segments_are_loaded(void **state)
{
    struct random random = {10};
    uint64_t offset = 0;

    (void)state;
    builder_region(&builder, VADDR, REGION_BYTES, PADDR);
    for (unsigned int i = 0; i < MOST_SEGMENTS; i++) {
        uint64_t bytes = random_below(&random, 1500);

        offset += random_below(&random, 3) ? random_below(&random, 500) : 0;
        add_segment(&random, offset, bytes);
        offset += bytes;
        if (i % 100 == 0)
            builder_mapping(&builder, VADDR, 0x1000, 0);
    }
    assert_loaded(REGION_BYTES);
}

static void each_region_is_loaded(void **state)
{
    struct random random = {11};
    uint8_t *other = (void *)(uintptr_t)(FAKE_RAM_END - 0x2000);

    (void)state;
    builder_region(&builder, VADDR, 0x2000, PADDR);
    add_segment(&random, 0x800, 0x800);
    builder_region(&builder, 0 - 0x2000ull, 0x2000, FAKE_RAM_END - 0x2000);
    builder_segment(&builder, 0 - 0x200ull, expected + 0x800, 0x200);
    assert_loaded(0x2000);
    for (size_t i = 0; i < 0x1e00; i++)
        assert_int_equal(other[i], 0);
    assert_memory_equal(other + 0x1e00, expected + 0x800, 0x200);
}

static void assert_damage(uint64_t offset, uint32_t index)
{
    char place[64];
    uint8_t *byte = builder.partition + offset;

    *byte ^= 0x10;
    assert_int_equal(end_of_load(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PAYLOAD_DAMAGED);
    snprintf(place, sizeof(place), "(segment 0x%x, checksum 0x", index);
    assert_non_null(strstr(fake_firmware.printed, place));
    *byte ^= 0x10;
}

static void a_wrong_byte_is_found_and_its_segment_named(void **state)
{
    struct random random = {12};
    struct plan_segment *segments[3];

    (void)state;
    builder_region(&builder, VADDR, 0x4000, PADDR);
    for (uint64_t i = 0; i < 3; i++) {
        segments[i] = builder_segment(&builder, VADDR + i * 0x1000, expected, 0x400 + i);
        segments[i]->index = (uint32_t)(7 + i * 0x100);
    }
    for (size_t i = 0; i < 3; i++) {
        uint64_t last = segments[i]->file_bytes - 1;

        assert_damage(segments[i]->payload_offset, segments[i]->index);
        assert_damage(segments[i]->payload_offset + last, segments[i]->index);
        assert_damage(segments[i]->payload_offset + random_below(&random, (unsigned int)last),
                      segments[i]->index);
        assert_damage((uint64_t)((uint8_t *)&segments[i]->xxh64 - builder.partition),
                      segments[i]->index);
    }
    assert_int_equal(end_of_load(), FAKE_RETURNED);
}

/* What lies in the last sector behind the bytes of a segment is nobody's. */
static void padding_is_not_loaded(void **state)
{
    struct plan_segment *segment;

    (void)state;
    memset(expected, 'x', 100);
    builder_region(&builder, VADDR, 0x1000, PADDR);
    segment = builder_segment(&builder, VADDR, expected, 100);
    memset(builder.partition + segment->payload_offset + 100, 'y', 412);
    assert_loaded(0x1000);
}

static void a_bad_sector_is_an_error(void **state)
{
    struct random random = {13};

    (void)state;
    builder_region(&builder, VADDR, 0x4000, PADDR);
    add_segment(&random, 0, 0x4000);
    fake_firmware.bad_lba = BUILDER_PLAN_LBA + BUILDER_PAYLOAD_OFFSET / IMAGE_SECTOR_BYTES + 31;
    assert_int_equal(end_of_load(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_DISK_READ);
    fake_firmware.bad_lba++;
    assert_int_equal(end_of_load(), FAKE_RETURNED);
}

/* The fake disk takes a known time of each kind; more may go by, when others run. */
static void the_times_of_all_segments_are_summed_up(void **state)
{
    struct random random = {14};

    (void)state;
    builder_region(&builder, VADDR, 0x4000, PADDR);
    for (uint64_t i = 0; i < 3; i++)
        add_segment(&random, i * 0x1000, 0x800);
    fake_firmware.read_ticks = 50000000;
    fake_firmware.copy_ticks = 70000000;
    ticks = (struct load_ticks){0};
    const uint64_t start = cpu_read_tsc();
    assert_int_equal(end_of_load(), FAKE_RETURNED);
    const uint64_t all = cpu_read_tsc() - start;

    assert_int_equal(ticks.copy, 3 * fake_firmware.copy_ticks);
    assert_in_range(ticks.read, 3 * fake_firmware.read_ticks, all - ticks.copy);
    assert_in_range(ticks.check, 1, all - ticks.copy - ticks.read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_region_without_segments_is_zero, set_up),
        cmocka_unit_test_setup(a_segment_can_fill_its_region, set_up),
        cmocka_unit_test_setup(segments_lie_between_zeros, set_up),
        cmocka_unit_test_setup(many_segments_are_loaded, set_up),
        cmocka_unit_test_setup(each_region_is_loaded, set_up),
        cmocka_unit_test_setup(a_wrong_byte_is_found_and_its_segment_named, set_up),
        cmocka_unit_test_setup(padding_is_not_loaded, set_up),
        cmocka_unit_test_setup(a_bad_sector_is_an_error, set_up),
        cmocka_unit_test_setup(the_times_of_all_segments_are_summed_up, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
