/*
 * Page tables as paging_map() builds them, read back by a walker of our own.
 */
#include "paging.h"

#include "fake_firmware.h"
#include "memory_map.h"
#include "page_walk.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIB_4 0x1000ull
#define MIB_2 0x200000ull
#define GIB_1 0x40000000ull
#define HIGH_HALF 0xffff800000000000ull
#define LAST_PAGE 0xfffffffffffff000ull
#define RW PAGING_WRITABLE
#define RX PAGING_EXECUTABLE
#define RWX (PAGING_WRITABLE | PAGING_EXECUTABLE)

struct tables {
    struct memory_map map;
    struct paging paging;
};

static struct tables tables;

static int set_up(void **state)
{
    (void)state;
    fake_start();
    firmware_memory_map(&tables.map);
    paging_init(&tables.paging, &tables.map);
    tables.paging.has_nx = true;
    tables.paging.has_1gib = true;
    return 0;
}

static void map(uint64_t vaddr, uint64_t paddr, uint64_t bytes, unsigned int flags)
{
    paging_map(&tables.paging, vaddr, paddr, bytes, flags);
}

static struct page walk(uint64_t vaddr)
{
    return page_walk(tables.paging.root_paddr, vaddr);
}

static void assert_page(uint64_t vaddr, uint64_t paddr, uint64_t page_bytes, unsigned int flags)
{
    struct page page = walk(vaddr);

    assert_true(page.is_mapped);
    assert_int_equal(page.paddr, paddr);
    assert_int_equal(page.bytes, page_bytes);
    assert_int_equal(page.is_writable, (flags & PAGING_WRITABLE) != 0);
    assert_int_equal(page.is_executable, (flags & PAGING_EXECUTABLE) != 0);
}

static void assert_hole(uint64_t vaddr)
{
    assert_false(walk(vaddr).is_mapped);
}

/* Each table lies in memory that the map says the loader has. */
static void visit_table(void *context, uint64_t table_paddr)
{
    size_t *count = context;

    ++*count;
    assert_true(table_paddr >= FAKE_RAM_PADDR && table_paddr < FAKE_RAM_END);
    assert_false(memory_map_is_free(&tables.map, table_paddr, KIB_4));
}

static void assert_total(uint64_t mapped_bytes, size_t table_count)
{
    size_t count = 0;

    assert_int_equal(page_tables_each(tables.paging.root_paddr, visit_table, &count), mapped_bytes);
    assert_int_equal(count, table_count);
}

static void nothing_is_mapped_at_first(void **state)
{
    (void)state;
    assert_total(0, 1);
}

static void pages_have_their_rights(void **state)
{
    (void)state;
    for (unsigned int flags = 0; flags < 4; flags++) {
        uint64_t vaddr = 0x400000 + flags * KIB_4;

        map(vaddr, 0x12345000 + flags * 0x10000, KIB_4, flags);
        assert_page(vaddr, 0x12345000 + flags * 0x10000, KIB_4, flags);
        assert_page(vaddr + 0xfff, 0x12345fff + flags * 0x10000, KIB_4, flags);
    }
    assert_hole(0x3fffff);
    assert_hole(0x404000);
    assert_total(4 * KIB_4, 4);
}

static void without_nx_all_is_executable(void **state)
{
    (void)state;
    tables.paging.has_nx = false;
    map(0x1000, 0x1000, KIB_4, RW);
    map(MIB_2, MIB_2, MIB_2, 0);
    assert_page(0x1000, 0x1000, KIB_4, RWX);
    assert_page(MIB_2, MIB_2, MIB_2, RX);
}

static void pages_are_as_large_as_fits(void **state)
{
    (void)state;
    /* One small page, 511 of 2 MiB but for one short, two of 1 GiB, one of 2 MiB, one small. */
    map(GIB_1 - KIB_4, GIB_1 - KIB_4, KIB_4 + 2 * GIB_1 + MIB_2 + KIB_4, RW);
    assert_hole(GIB_1 - KIB_4 - 1);
    assert_page(GIB_1 - KIB_4, GIB_1 - KIB_4, KIB_4, RW);
    assert_page(GIB_1, GIB_1, GIB_1, RW);
    assert_page(3 * GIB_1 - 1, 3 * GIB_1 - 1, GIB_1, RW);
    assert_page(3 * GIB_1, 3 * GIB_1, MIB_2, RW);
    assert_page(3 * GIB_1 + MIB_2, 3 * GIB_1 + MIB_2, KIB_4, RW);
    assert_hole(3 * GIB_1 + MIB_2 + KIB_4);
    assert_total(KIB_4 + 2 * GIB_1 + MIB_2 + KIB_4, 6);
}

static void pages_of_1_gib_can_be_forbidden(void **state)
{
    (void)state;
    map(GIB_1, GIB_1, GIB_1, RW | PAGING_NO_1GIB);
    assert_page(GIB_1, GIB_1, MIB_2, RW);
    tables.paging.has_1gib = false;
    map(4 * GIB_1, 0, GIB_1, RX);
    assert_page(5 * GIB_1 - 1, GIB_1 - 1, MIB_2, RX);
    assert_total(2 * GIB_1, 4);
}

static void large_pages_need_congruent_addresses(void **state)
{
    (void)state;
    map(GIB_1, MIB_2, GIB_1, RW);
    assert_page(GIB_1, MIB_2, MIB_2, RW);
    map(4 * GIB_1, KIB_4, MIB_2, RW);
    assert_page(4 * GIB_1, KIB_4, KIB_4, RW);
    assert_page(4 * GIB_1 + MIB_2 - KIB_4, MIB_2, KIB_4, RW);
    assert_total(GIB_1 + MIB_2, 5);
}

static void the_first_to_map_a_page_wins(void **state)
{
    (void)state;
    map(MIB_2 + 0x3000, 0x7000000, 2 * KIB_4, RX);
    map(0, 0, 4 * MIB_2, RW);
    map(0, GIB_1, 2 * GIB_1, 0); /* a part of it is taken */
    assert_page(MIB_2 + 0x2fff, MIB_2 + 0x2fff, KIB_4, RW);
    assert_page(MIB_2 + 0x3000, 0x7000000, KIB_4, RX);
    assert_page(MIB_2 + 0x4fff, 0x7001fff, KIB_4, RX);
    assert_page(MIB_2 + 0x5000, MIB_2 + 0x5000, KIB_4, RW);
    assert_page(0, 0, MIB_2, RW);
    assert_page(4 * MIB_2 - 1, 4 * MIB_2 - 1, MIB_2, RW);
    assert_page(4 * MIB_2, GIB_1 + 4 * MIB_2, MIB_2, 0);
    assert_page(GIB_1, 2 * GIB_1, GIB_1, 0);
    assert_total(2 * GIB_1, 4);
}

static void a_large_page_keeps_small_ones_out(void **state)
{
    (void)state;
    map(GIB_1, GIB_1, GIB_1, RW);
    map(GIB_1 + MIB_2, 0, MIB_2, RX);
    map(2 * GIB_1 - KIB_4, 0, 2 * KIB_4, RX);
    assert_page(GIB_1 + MIB_2, GIB_1 + MIB_2, GIB_1, RW);
    assert_page(2 * GIB_1 - KIB_4, 2 * GIB_1 - KIB_4, GIB_1, RW);
    assert_page(2 * GIB_1, KIB_4, KIB_4, RX);
    assert_total(GIB_1 + KIB_4, 4);
}

static void the_last_page_can_be_mapped(void **state)
{
    (void)state;
    map(LAST_PAGE, 0x5000, KIB_4, RX);
    assert_page(UINT64_MAX, 0x5fff, KIB_4, RX);
    map(0 - 2 * GIB_1, 4 * GIB_1, 2 * GIB_1, RW);
    assert_page(LAST_PAGE, 0x5000, KIB_4, RX);
    assert_page(LAST_PAGE - 1, 6 * GIB_1 - KIB_4 - 1, KIB_4, RW);
    assert_page(0 - 2 * GIB_1, 4 * GIB_1, GIB_1, RW);
    assert_hole(0); /* nothing has wrapped */
    assert_total(2 * GIB_1, 4);
}

static void huge_ranges_cross_tables(void **state)
{
    const uint64_t bytes = 64ull << 40;

    (void)state;
    map(HIGH_HALF, 0, bytes, RW);
    assert_page(HIGH_HALF, 0, GIB_1, RW);
    assert_page(HIGH_HALF + bytes - 1, bytes - 1, GIB_1, RW);
    assert_hole(HIGH_HALF + bytes);
    assert_total(bytes, 1 + 128);
}

static void nothing_is_mapped_for_no_bytes(void **state)
{
    (void)state;
    map(0x1000, 0x1000, 0, RW);
    assert_total(0, 1);
}

/* Random maps of a few large pages, against one entry for each small page. */
static void random_maps_agree_with_a_model(void **state)
{
    enum { PAGES = 4096, MAPS = 12 };
    static const uint64_t starts[] = {0, GIB_1 - 4 * MIB_2, LAST_PAGE - (PAGES - 1) * KIB_4};
    struct random random = {7};

    for (unsigned int round = 0; round < 60; round++) {
        static struct {
            uint64_t paddr;
            unsigned int flags;
            bool is_mapped;
        } model[PAGES];
        uint64_t start = starts[round % 3], total = 0;

        set_up(state);
        for (size_t i = 0; i < PAGES; i++)
            model[i].is_mapped = false;
        for (unsigned int i = 0; i < MAPS; i++) {
            unsigned int most = i < MAPS / 2 ? 40 : PAGES, first = random_below(&random, PAGES);
            unsigned int count = random_below(&random, most), flags = random_below(&random, 8);
            uint64_t base = start & 0xffffffffff;

            if (random_below(&random, 2))
                base = random_below(&random, 512) * (random_below(&random, 2) ? MIB_2 : KIB_4);
            if (count > PAGES - first)
                count = PAGES - first;
            map(start + first * KIB_4, base + first * KIB_4, count * KIB_4, flags);
            for (size_t at = first; at < first + count; at++) {
                if (model[at].is_mapped)
                    continue;
                model[at].is_mapped = true;
                model[at].paddr = base + at * KIB_4;
                model[at].flags = flags;
            }
        }
        for (size_t i = 0; i < PAGES; i++) {
            struct page page = walk(start + i * KIB_4);

            assert_int_equal(page.is_mapped, model[i].is_mapped);
            total += page.is_mapped ? KIB_4 : 0;
            if (page.is_mapped)
                assert_page(start + i * KIB_4, model[i].paddr, page.bytes, model[i].flags);
        }
        assert_int_equal(page_tables_each(tables.paging.root_paddr, visit_table, &(size_t){0}),
                         total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_mapped_at_first, set_up),
        cmocka_unit_test_setup(pages_have_their_rights, set_up),
        cmocka_unit_test_setup(without_nx_all_is_executable, set_up),
        cmocka_unit_test_setup(pages_are_as_large_as_fits, set_up),
        cmocka_unit_test_setup(pages_of_1_gib_can_be_forbidden, set_up),
        cmocka_unit_test_setup(large_pages_need_congruent_addresses, set_up),
        cmocka_unit_test_setup(the_first_to_map_a_page_wins, set_up),
        cmocka_unit_test_setup(a_large_page_keeps_small_ones_out, set_up),
        cmocka_unit_test_setup(the_last_page_can_be_mapped, set_up),
        cmocka_unit_test_setup(huge_ranges_cross_tables, set_up),
        cmocka_unit_test_setup(nothing_is_mapped_for_no_bytes, set_up),
        cmocka_unit_test(random_maps_agree_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
