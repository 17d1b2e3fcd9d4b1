/*
 * Relocation: tables are applied to the loaded bytes, wherever these lie, and to nothing else; a
 * random base moves every address in the plan.
 */
#include "relocation.h"

#include "errors.h"
#include "fake_firmware.h"
#include "load.h"
#include "plan.h"
#include "plan_builder.h"
#include "small_kernel.h"

#include <bootimage/bootinfo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Linked at 0, mapped at the slide; the tables lie in the second page. */
#define SLIDE 0xffffffff80000000ull
#define PADDR (FAKE_RAM_PADDR + 0x10000)
#define REGION_BYTES 0x4000u
#define TABLE 0x1000u
#define RELATIVE 8u

static struct plan_builder builder;
static struct plan plan;
static struct plan_protocol *protocol;
static uint64_t segment[REGION_BYTES / sizeof(uint64_t)];

static int set_up(void **state)
{
    (void)state;
    fake_start();
    memset(segment, 0, sizeof(segment));
    builder_start(&builder);
    protocol = builder_protocol(&builder, SLIDE);
    protocol->slide = SLIDE;
    return 0;
}

static void add_table(uint32_t form, uint64_t bytes)
{
    builder_region(&builder, SLIDE, REGION_BYTES, PADDR);
    builder_segment(&builder, SLIDE, segment, sizeof(segment));
    builder_mapping(&builder, SLIDE, REGION_BYTES, PLAN_WRITABLE);
    struct plan_relocations *relocations =
        builder_add(&builder, PLAN_RELOCATIONS, sizeof(*relocations));
    relocations->vaddr = SLIDE + TABLE;
    relocations->bytes = bytes;
    relocations->form = form;
    builder_finish(&builder);
    plan = (struct plan){builder.prefix, BUILDER_PLAN_LBA, builder.prefix->plan_bytes};
}

static void put_rela(unsigned int index, uint64_t offset, uint64_t info, uint64_t addend)
{
    uint64_t *entry = segment + TABLE / sizeof(uint64_t) + index * 3;

    entry[0] = offset;
    entry[1] = info;
    entry[2] = addend;
}

static void load_and_apply(void *argument)
{
    (void)argument;
    load_regions(&plan, &(struct load_ticks){0});
    relocation_apply(&plan);
}

static uint64_t loaded(uint64_t offset)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)(uintptr_t)PADDR + offset, sizeof(word));
    return word;
}

static void test_rela_writes_its_addend(void **state)
{
    (void)state;
    segment[2] = 0x1234; /* what is there does not count */
    put_rela(0, 16, RELATIVE, 0x100);
    put_rela(1, 0x2fff, RELATIVE, 0x200); /* over the end of a page */
    put_rela(2, REGION_BYTES - 8, RELATIVE, 0x300);
    add_table(PLAN_RELOCATIONS_RELA, 72);
    assert_int_equal(fake_run(load_and_apply, NULL), FAKE_RETURNED);
    assert_int_equal(loaded(8), 0);
    assert_int_equal(loaded(16), SLIDE + 0x100);
    assert_int_equal(loaded(24), 0);
    assert_int_equal(loaded(0x2fff), SLIDE + 0x200);
    assert_int_equal(loaded(REGION_BYTES - 8), SLIDE + 0x300);
}

static void test_relr_adds_to_what_is_there(void **state)
{
    uint64_t *table = segment + TABLE / sizeof(uint64_t);

    (void)state;
    for (unsigned int i = 0; i < 130; i++)
        segment[i] = i;
    table[0] = 8;                          /* word 1 */
    table[1] = 1ull << 63 | 1ull << 2 | 1; /* words 3 and 64 */
    table[2] = 1ull << 1 | 1;              /* word 65 */
    table[3] = 0x3000;                     /* starts again elsewhere */
    add_table(PLAN_RELOCATIONS_RELR, 32);
    assert_int_equal(fake_run(load_and_apply, NULL), FAKE_RETURNED);
    for (unsigned int i = 0; i < 130; i++) {
        bool patched = i == 1 || i == 3 || i == 64 || i == 65;

        assert_int_equal(loaded(i * 8), i + (patched ? SLIDE : 0));
    }
    assert_int_equal(loaded(0x3000), SLIDE);
}

static void test_nothing_outside_the_regions_is_patched(void **state)
{
    const uint64_t offsets[] = {REGION_BYTES - 7, REGION_BYTES, UINT64_MAX,
                                UINT64_MAX - 7,   0 - SLIDE,    PADDR - SLIDE};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        set_up(state);
        put_rela(0, offsets[i], RELATIVE, 0);
        add_table(PLAN_RELOCATIONS_RELA, 24);
        assert_int_equal(fake_run(load_and_apply, NULL), FAKE_STOPPED);
        assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    }
    set_up(state);
    segment[TABLE / sizeof(uint64_t)] = REGION_BYTES;
    add_table(PLAN_RELOCATIONS_RELR, 8);
    assert_int_equal(fake_run(load_and_apply, NULL), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
}

static void test_other_kinds_are_refused(void **state)
{
    (void)state;
    put_rela(0, 0, 6, 0);
    add_table(PLAN_RELOCATIONS_RELA, 24);
    assert_int_equal(fake_run(load_and_apply, NULL), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_UNKNOWN);
}

static void choose_base(void *argument)
{
    (void)argument;
    relocation_choose_base(&plan, 1);
}

static void test_a_random_base_moves_everything(void **state)
{
    const uint64_t step = 0x200000, places = 8;
    bool seen[8] = {false};
    unsigned int different = 0;

    for (int i = 0; i < 200; i++) {
        set_up(state);
        struct plan_random_base *base = builder_add(&builder, PLAN_RANDOM_BASE, sizeof(*base));
        base->step_bytes = step;
        base->places = places;
        add_table(PLAN_RELOCATIONS_RELA, 24);
        assert_int_equal(fake_run(choose_base, NULL), FAKE_RETURNED);
        uint64_t moved = protocol->slide - SLIDE;
        const struct plan_region *region = (const void *)plan_find(&plan, NULL, PLAN_REGION);
        const struct plan_segment *loads = (const void *)plan_find(&plan, NULL, PLAN_SEGMENT);
        const struct plan_mapping *mapping = (const void *)plan_find(&plan, NULL, PLAN_MAPPING);
        const struct plan_relocations *table =
            (const void *)plan_find(&plan, NULL, PLAN_RELOCATIONS);

        assert_int_equal(moved % step, 0);
        assert_true(moved / step < places);
        assert_int_equal(protocol->entry_vaddr, SLIDE + moved);
        assert_int_equal(region->vaddr, SLIDE + moved);
        assert_int_equal(region->paddr, PADDR);
        assert_int_equal(loads->vaddr, SLIDE + moved);
        assert_int_equal(mapping->vaddr, SLIDE + moved);
        assert_int_equal(table->vaddr, SLIDE + moved + TABLE);
        different += !seen[moved / step];
        seen[moved / step] = true;
    }
    assert_int_equal(different, places);
}

static void test_without_a_wish_nothing_moves(void **state)
{
    (void)state;
    add_table(PLAN_RELOCATIONS_RELA, 24);
    assert_int_equal(fake_run(choose_base, NULL), FAKE_RETURNED);
    assert_int_equal(protocol->slide, SLIDE);
}

/* The tool knows the values; the slide is added, or not. */
static void patches_by_symbols(void **state)
{
    const uint64_t base = 0x100000;

    (void)state;
    for (uint32_t absolute = 0; absolute < 2; absolute++) {
        fake_start();
        builder_start(&builder);
        small_kernel_build(&builder, base + SLIDE, FAKE_RAM_PADDR)->slide = SLIDE;
        struct plan_patches *record =
            builder_add(&builder, PLAN_PATCHES, sizeof(*record) + sizeof(struct plan_patch));
        record->count = 1;
        record->flags = absolute ? PLAN_PATCHES_ABSOLUTE : 0;
        record->patches[0] = (struct plan_patch){base + 0x6008, 0x1234};
        assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
        assert_int_equal(*(const uint64_t *)(uintptr_t)(FAKE_RAM_PADDR + 0x6008),
                         0x1234 + (absolute ? 0 : SLIDE));
        record->patches[0].vaddr = base + SMALL_KERNEL_BYTES - 7;
        small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_by_symbols),
        cmocka_unit_test_setup(test_rela_writes_its_addend, set_up),
        cmocka_unit_test_setup(test_relr_adds_to_what_is_there, set_up),
        cmocka_unit_test_setup(test_nothing_outside_the_regions_is_patched, set_up),
        cmocka_unit_test_setup(test_other_kinds_are_refused, set_up),
        cmocka_unit_test_setup(test_a_random_base_moves_everything, set_up),
        cmocka_unit_test_setup(test_without_a_wish_nothing_moves, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
