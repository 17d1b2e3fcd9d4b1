/*
 * Page tables as paging_map() builds them, read back by a walker of our own.
 */
#include "paging.h"

#include "cpu.h"
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
static const struct cpu_features cpu = {.has_nx = true, .has_1gib = true};

static int set_up(void **state)
{
    (void)state;
    fake_start();
    firmware_memory_map(&tables.map);
    paging_init(&tables.paging, &tables.map, &cpu, 4);
    return 0;
}

static int set_up_5(void **state)
{
    set_up(state);
    paging_init(&tables.paging, &tables.map, &cpu, 5);
    return 0;
}

static void map(uint64_t vaddr, uint64_t paddr, uint64_t bytes, unsigned int flags)
{
    paging_map(&tables.paging, vaddr, paddr, bytes, flags);
}

static struct page walk(uint64_t vaddr)
{
    return page_walk(tables.paging.root_paddr, tables.paging.levels, vaddr);
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

    assert_int_equal(
        page_tables_each(tables.paging.root_paddr, tables.paging.levels, visit_table, &count),
        mapped_bytes);
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

static void five_levels_map_more(void **state)
{
    const uint64_t bytes = 1ull << 52, high = 0xff00000000000000;

    (void)state;
    map(high + bytes - GIB_1, bytes - GIB_1, GIB_1, RW);
    map(0x00fffffffffff000, 0x7000, KIB_4, RX);
    map(LAST_PAGE, 0x5000, KIB_4, RX);
    assert_page(high + bytes - 1, bytes - 1, GIB_1, RW);
    assert_hole(high);
    assert_hole(high + bytes);
    assert_hole(0xffff800000000000);
    assert_page(0x00ffffffffffffff, 0x7fff, KIB_4, RX);
    assert_hole(0x0000fffffffff000);
    assert_page(UINT64_MAX, 0x5fff, KIB_4, RX);
    assert_total(GIB_1 + 2 * KIB_4, 1 + 2 + 4 + 4);
}

/* Whatever the size of the page: entry 0, 3 or 4 of the PAT. */
static void pages_have_their_caching(void **state)
{
    static const struct {
        unsigned int flag, pat;
    } kinds[] = {{0, 0}, {PAGING_UNCACHED, 3}, {PAGING_WRITE_COMBINING, 4}};
    static const uint64_t sizes[] = {KIB_4, MIB_2, GIB_1};

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        uint64_t vaddr = (i + 1) * 4 * GIB_1, bytes = sizes[i / 3];

        map(vaddr, GIB_1, bytes, RW | kinds[i % 3].flag);
        assert_page(vaddr, GIB_1, bytes, RW);
        assert_int_equal(walk(vaddr).pat, kinds[i % 3].pat);
    }
}

static void the_root_can_be_mapped_into_itself(void **state)
{
    const uint64_t entry = 400, base = HIGH_HALF + ((entry - 256) << 39);
    const uint64_t root = tables.paging.root_paddr;

    (void)state;
    map(0x400000, 0x7000, KIB_4, RX);
    assert_true(paging_map_recursive(&tables.paging, entry));
    /* All four levels through that entry lead to the root itself. */
    struct page page = walk(base | entry << 30 | entry << 21 | entry << 12);
    assert_true(page.is_mapped && page.is_writable && !page.is_executable);
    assert_int_equal(page.paddr, root);
    /* Three of them: to the table behind the root's first entry. */
    page = walk(base | entry << 30 | entry << 21);
    assert_int_equal(page.paddr, ((const uint64_t *)root)[0] & ~0xfffull);
    assert_total(KIB_4, 4);
    assert_false(paging_map_recursive(&tables.paging, entry));
    assert_false(paging_map_recursive(&tables.paging, 0));
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
        assert_int_equal(page_tables_each(tables.paging.root_paddr, tables.paging.levels,
                                          visit_table, &(size_t){0}),
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
        cmocka_unit_test_setup(five_levels_map_more, set_up_5),
        cmocka_unit_test_setup(pages_have_their_caching, set_up),
        cmocka_unit_test_setup(the_root_can_be_mapped_into_itself, set_up),
        cmocka_unit_test(random_maps_agree_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
