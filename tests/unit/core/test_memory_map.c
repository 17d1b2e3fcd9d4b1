/*
 * The memory map against naive models: an address space so small that each byte, or each page, has
 * its type in an array.
 */
#include "memory_map.h"

#include "errors.h"
#include "fake_firmware.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USABLE BOOTINFO_MEMORY_USABLE
#define RESERVED BOOTINFO_MEMORY_RESERVED
#define ACPI BOOTINFO_MEMORY_ACPI_RECLAIMABLE
#define NVS BOOTINFO_MEMORY_ACPI_NVS
#define BAD BOOTINFO_MEMORY_BAD
#define LOADER BOOTINFO_MEMORY_LOADER
#define KERNEL BOOTINFO_MEMORY_KERNEL

#define PAGE MEMORY_PAGE_BYTES
#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull

static int set_up(void **state)
{
    (void)state;
    fake_start();
    return 0;
}

static void assert_sane(const struct memory_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];

        assert_int_not_equal(range->bytes, 0);
        assert_int_equal(range->reserved, 0);
        if (i == 0)
            continue;
        uint64_t end = range[-1].base_paddr + range[-1].bytes;
        assert_true(range->base_paddr >= end);
        assert_false(range->base_paddr == end && range->type == range[-1].type);
    }
}

struct entry {
    uint64_t base, bytes;
    uint32_t type;
};

static void add_all(struct memory_map *map, const struct entry *entries, size_t count)
{
    fake_empty_map(map);
    for (size_t i = 0; i < count; i++)
        memory_map_add(map, entries[i].base, entries[i].bytes, entries[i].type);
    assert_sane(map);
}

static void assert_map(const struct memory_map *map, const struct entry *entries, size_t count)
{
    assert_sane(map);
    assert_int_equal(map->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(map->ranges[i].base_paddr, entries[i].base);
        assert_int_equal(map->ranges[i].bytes, entries[i].bytes);
        assert_int_equal(map->ranges[i].type, entries[i].type);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ASSERT_MADE(given, wanted)                                                                 \
    do {                                                                                           \
        struct memory_map made;                                                                    \
        add_all(&made, given, COUNT(given));                                                       \
        assert_map(&made, wanted, COUNT(wanted));                                                  \
    } while (0)

static void entries_are_sorted_and_merged(void **state)
{
    static const struct entry given[] = {
        {0x9000, 0x1000, USABLE}, {0x1000, 0x1000, USABLE},   {0x4000, 0x1000, RESERVED},
        {0x2000, 0x2000, USABLE}, {0x5000, 0x4000, RESERVED}, {0x1000, 0x1000, USABLE},
    };
    static const struct entry wanted[] = {
        {0x1000, 0x3000, USABLE}, {0x4000, 0x5000, RESERVED}, {0x9000, 0x1000, USABLE}};

    (void)state;
    ASSERT_MADE(given, wanted);
}

static void an_entry_splits_another_in_three(void **state)
{
    static const struct entry given[] = {{0x1000, 0x9000, USABLE}, {0x4000, 0x1000, NVS}};
    static const struct entry turned[] = {{0x4000, 0x1000, NVS}, {0x1000, 0x9000, USABLE}};
    static const struct entry wanted[] = {
        {0x1000, 0x3000, USABLE}, {0x4000, 0x1000, NVS}, {0x5000, 0x5000, USABLE}};

    (void)state;
    ASSERT_MADE(given, wanted);
    ASSERT_MADE(turned, wanted);
}

/* Every pair of types, each the first, in every way that two ranges can meet. */
static void the_worst_type_wins(void **state)
{
    static const uint32_t by_severity[] = {USABLE, ACPI, NVS, RESERVED, BAD};

    (void)state;
    for (uint64_t positions = 0; positions < 7 * 7 * 7; positions++) {
        uint64_t start = positions % 7, bytes = positions / 7 % 7, other_bytes = positions / 49;

        for (size_t pair = 0; pair < 25; pair++) {
            size_t a = pair % 5, b = pair / 5;
            const struct entry given[] = {{3, other_bytes, by_severity[a]},
                                          {start, bytes, by_severity[b]}};
            struct memory_map map;

            add_all(&map, given, 2);
            uint64_t covered = 0;
            for (size_t i = 0; i < map.count; i++)
                covered += map.ranges[i].bytes;
            for (uint64_t at = 0; at < 16; at++) {
                bool in_a = at >= 3 && at - 3 < other_bytes;
                bool in_b = at >= start && at - start < bytes;
                uint32_t wanted = by_severity[in_a && in_b ? (a > b ? a : b) : in_a ? a : b];
                uint32_t found = 0;

                for (size_t i = 0; i < map.count; i++) {
                    if (at >= map.ranges[i].base_paddr &&
                        at - map.ranges[i].base_paddr < map.ranges[i].bytes)
                        found = map.ranges[i].type;
                }
                assert_int_equal(found, in_a || in_b ? wanted : 0);
                covered -= in_a || in_b;
            }
            assert_int_equal(covered, 0);
        }
    }
}

static void unknown_types_are_reserved(void **state)
{
    static const uint32_t unknown[] = {0, 6, 7, 8, 12, 0x100, 0xf0000000, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(unknown); i++) {
        const struct entry given[] = {{0x1000, 0x3000, USABLE}, {0x2000, 0x1000, unknown[i]}};
        static const struct entry wanted[] = {
            {0x1000, 0x1000, USABLE}, {0x2000, 0x1000, RESERVED}, {0x3000, 0x1000, USABLE}};

        ASSERT_MADE(given, wanted);
    }
}

static void empty_entries_leave_nothing(void **state)
{
    static const struct entry given[] = {
        {0x5000, 0, BAD}, {0x1000, 0x3000, USABLE}, {0x2000, 0, BAD}, {0x1000, 0, BAD},
        {0x4000, 0, BAD}, {UINT64_MAX, 0, BAD},     {0, 0, USABLE},
    };
    static const struct entry wanted[] = {{0x1000, 0x3000, USABLE}};

    (void)state;
    ASSERT_MADE(given, wanted);
}

/* The last byte of all cannot be told from the end; no machine has it. */
static void entries_end_with_the_address_space(void **state)
{
    static const struct entry given[] = {
        {0xfffffffffffff000, 0x2000, RESERVED},
        {0x1000, UINT64_MAX, USABLE},
        {UINT64_MAX, 5, BAD},
    };
    static const struct entry wanted[] = {{0x1000, 0xffffffffffffe000, USABLE},
                                          {0xfffffffffffff000, 0xfff, RESERVED}};

    (void)state;
    ASSERT_MADE(given, wanted);
}

static void add_beyond_capacity(void *argument)
{
    struct memory_map *map = argument;

    for (uint64_t i = 0; i < 100; i++)
        memory_map_add(map, 0x2000 * i, 0x1000, USABLE);
}

static void a_full_map_is_an_error(void **state)
{
    struct memory_map map;

    (void)state;
    for (size_t capacity = 0; capacity < 100; capacity++) {
        fake_firmware.map_capacity = capacity;
        fake_empty_map(&map);
        assert_int_equal(fake_run(add_beyond_capacity, &map), FAKE_STOPPED);
        assert_int_equal(fake_error(), ERROR_MEMORY_MAP_FULL);
        assert_int_equal(map.count, capacity);
    }
    fake_firmware.map_capacity = 100;
    fake_empty_map(&map);
    assert_int_equal(fake_run(add_beyond_capacity, &map), FAKE_RETURNED);
}

/* Random entries: the type of each byte of a small address space; 0 for none. */
#define MODEL_PAGES 64
#define MODEL_BYTES (MODEL_PAGES * PAGE)

static uint8_t model[MODEL_BYTES];

static unsigned int rank(uint8_t type)
{
    static const uint8_t order[] = {0, USABLE, ACPI, NVS, RESERVED, BAD};
    unsigned int i = 0;

    while (order[i] != type)
        i++;
    return i;
}

static void model_add(uint64_t base, uint64_t bytes, uint8_t type)
{
    for (uint64_t at = base; at < base + bytes; at++) {
        if (rank(type) > rank(model[at]))
            model[at] = type;
    }
}

/* The type of leased memory in the model. */
#define LEASED 0x80u

static void model_align(void)
{
    for (uint64_t page = 0; page < MODEL_BYTES; page += PAGE) {
        bool is_whole = true;

        for (uint64_t at = page; at < page + PAGE; at++)
            is_whole = is_whole && model[at] == USABLE;
        for (uint64_t at = page; at < page + PAGE; at++) {
            if (model[at] == USABLE && (!is_whole || page == 0))
                model[at] = is_whole ? LEASED : RESERVED;
        }
    }
}

/* Are all of these bytes of one type? Moves *at behind them. */
static bool model_is(uint64_t *at, uint64_t end, uint32_t type)
{
    while (*at < end && model[*at] == type)
        ++*at;
    return *at == end;
}

static void assert_model(const struct memory_map *map)
{
    uint64_t at = 0;

    assert_sane(map);
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];
        uint32_t type = range->type == MEMORY_LEASED ? LEASED : range->type;

        assert_true(model_is(&at, range->base_paddr, 0));
        assert_true(model_is(&at, range->base_paddr + range->bytes, type));
    }
    assert_true(model_is(&at, MODEL_BYTES, 0));
}

/* Entries that begin and end anywhere, in pages every second time. */
static void make_random(struct memory_map *map, struct random *random, unsigned int count,
                        unsigned int longest)
{
    memset(model, 0, sizeof(model));
    fake_empty_map(map);
    for (unsigned int i = 0; i < count; i++) {
        uint64_t bytes = random_below(random, longest), base;
        uint8_t type = (uint8_t)(1 + random_below(random, BAD));

        base = random_below(random, (unsigned int)(MODEL_BYTES - bytes));
        if (random_below(random, 2)) {
            base &= ~(PAGE - 1);
            bytes &= ~(PAGE - 1);
        }
        memory_map_add(map, base, bytes, type);
        model_add(base, bytes, type);
    }
}

static void random_entries_agree_with_the_model(void **state)
{
    struct random random = {2};
    struct memory_map map;

    (void)state;
    for (unsigned int round = 0; round < 200; round++) {
        make_random(&map, &random, random_below(&random, 40), 40 * PAGE);
        assert_model(&map);
        memory_map_align(&map);
        model_align();
        assert_model(&map);
    }
    make_random(&map, &random, 300, 4 * PAGE);
    assert_model(&map);
    make_random(&map, &random, 5000, 60);
    assert_true(map.count > 1000);
    assert_model(&map);
    memory_map_align(&map);
    model_align();
    assert_model(&map);
}

/* What is leased is given to kernels in whole pages, too. */
static void leased_ranges_shrink_to_whole_pages(void **state)
{
    struct memory_map map;

    (void)state;
    fake_empty_map(&map);
    memory_map_add(&map, 0, 0x9fc00, USABLE);
    memory_map_retype(&map, 0, 0x100000, USABLE, MEMORY_LEASED);
    memory_map_align(&map);
    assert_int_equal(memory_map_total(&map, MEMORY_LEASED), 0x9f000);
    assert_int_equal(memory_map_total(&map, RESERVED), 0xc00);
}

static void retype_agrees_with_the_model(void **state)
{
    struct random random = {3};
    struct memory_map map;

    (void)state;
    for (unsigned int round = 0; round < 100; round++) {
        make_random(&map, &random, 20, 20 * PAGE);
        for (unsigned int i = 0; i < 20; i++) {
            uint64_t bytes = random_below(&random, 8 * PAGE);
            uint64_t base = random_below(&random, (unsigned int)(MODEL_BYTES - bytes));
            uint8_t from = (uint8_t)(1 + random_below(&random, BAD));
            uint8_t to = (uint8_t)(1 + random_below(&random, KERNEL));

            memory_map_retype(&map, base, bytes, from, to);
            for (uint64_t at = base; at < base + bytes; at++) {
                if (model[at] == from)
                    model[at] = to;
            }
        }
        assert_model(&map);
    }
}

static void is_free_agrees_with_the_model(void **state)
{
    struct random random = {4};
    struct memory_map map;
    unsigned int free_ones = 0;

    (void)state;
    for (unsigned int round = 0; round < 2000; round++) {
        if (round % 100 == 0)
            make_random(&map, &random, 10, 30 * PAGE);
        uint64_t bytes = 1 + random_below(&random, 4 * PAGE);
        uint64_t base = random_below(&random, (unsigned int)(MODEL_BYTES - bytes));
        bool is_free = true;

        for (uint64_t at = base; at < base + bytes; at++)
            is_free = is_free && model[at] == USABLE;
        assert_int_equal(memory_map_is_free(&map, base, bytes), is_free);
        free_ones += is_free;
    }
    assert_in_range(free_ones, 50, 1950);
}

static void shadowed_memory_is_free_but_not_taken(void **state)
{
    static const struct entry given[] = {{2 * ONE_MIB, ONE_MIB, USABLE}};
    struct memory_map map;

    (void)state;
    add_all(&map, given, 1);
    memory_map_retype(&map, 2 * ONE_MIB + PAGE, ONE_MIB - PAGE, USABLE, MEMORY_SHADOWED);
    assert_true(memory_map_is_free(&map, 2 * ONE_MIB, ONE_MIB));
    assert_int_equal(memory_map_take(&map, 2 * PAGE, PAGE, 0, LOADER), 0);
    assert_int_equal(memory_map_take(&map, PAGE, PAGE, 0, LOADER), 2 * ONE_MIB);
    assert_false(memory_map_is_free(&map, 2 * ONE_MIB, ONE_MIB));
}

static bool is_ram(uint8_t type)
{
    return type != 0 && type != RESERVED && type != BAD;
}

/* The pages that hold a byte of RAM, each once, upwards. */
static void assert_ram(const struct memory_map *map)
{
    uint64_t seen_end = 0, paddr = 0, bytes;

    while ((bytes = memory_map_next_ram(map, &paddr))) {
        assert_int_equal((paddr | bytes) % PAGE, 0);
        assert_true(paddr >= seen_end);
        for (uint64_t page = seen_end; page < paddr + bytes; page += PAGE) {
            bool has_ram = false;

            for (uint64_t at = page; at < page + PAGE; at++)
                has_ram = has_ram || is_ram(model[at]);
            assert_int_equal(has_ram, page >= paddr);
        }
        paddr += bytes;
        seen_end = paddr;
    }
    while (seen_end < MODEL_BYTES && !is_ram(model[seen_end]))
        seen_end++;
    assert_int_equal(seen_end, MODEL_BYTES);
}

static void next_ram_finds_all_of_it(void **state)
{
    struct random random = {5};
    struct memory_map map;

    (void)state;
    for (unsigned int round = 0; round < 100; round++) {
        make_random(&map, &random, random_below(&random, 30), 20 * PAGE);
        assert_ram(&map);
        memory_map_align(&map);
        model_align();
        assert_ram(&map);
    }
}

static void next_ram_is_not_changed_by_takes(void **state)
{
    struct memory_map map;
    uint64_t first = 0, again = 0;

    (void)state;
    firmware_memory_map(&map);
    memory_map_align(&map);
    memory_map_retype(&map, FAKE_RAM_PADDR, 8 * PAGE, USABLE, MEMORY_SHADOWED);
    do {
        uint64_t bytes = memory_map_next_ram(&map, &first);

        memory_map_take_pages(&map, 3 * PAGE);
        memory_map_take(&map, 5 * PAGE, 16 * PAGE, PAGE, KERNEL);
        assert_int_equal(memory_map_next_ram(&map, &again), bytes);
        assert_int_equal(again, first);
        first += bytes;
        again += bytes;
    } while (first < FOUR_GIB);
    assert_int_equal(memory_map_next_ram(&map, &first), 0);
}

/* memory_map_take() by trying every page, from the top. */
static uint64_t naive_take(const struct memory_map *map, uint64_t start, uint64_t end,
                           uint64_t bytes, uint64_t align, uint64_t offset)
{
    for (uint64_t paddr = end - PAGE; paddr >= start; paddr -= PAGE) {
        if (paddr >= ONE_MIB && paddr <= FOUR_GIB - bytes && (paddr - offset) % align == 0 &&
            memory_map_is_free(map, paddr, bytes))
            return paddr;
    }
    return 0;
}

/* Around the ends of what may be taken. */
static void take_finds_the_highest_place(void **state)
{
    static const uint64_t starts[] = {ONE_MIB - 128 * PAGE, FOUR_GIB - 128 * PAGE, 16 * ONE_MIB};
    struct random random = {6};
    unsigned int found = 0;

    (void)state;
    for (unsigned int round = 0; round < 600; round++) {
        uint64_t start = starts[round % COUNT(starts)], end = start + 256 * PAGE;
        struct memory_map map;

        fake_empty_map(&map);
        memory_map_add(&map, start, 256 * PAGE, USABLE);
        for (unsigned int i = random_below(&random, 8); i > 0; i--)
            memory_map_add(&map, start + random_below(&random, 240) * PAGE,
                           random_below(&random, 16) * PAGE, RESERVED);
        for (unsigned int i = 0; i < 6; i++) {
            uint64_t bytes = (1 + random_below(&random, 40)) * PAGE;
            uint64_t align = PAGE << random_below(&random, 7);
            uint64_t offset = random_below(&random, 128) * PAGE;
            uint64_t wanted = naive_take(&map, start, end, bytes, align, offset);

            assert_int_equal(memory_map_take(&map, bytes, align, offset, KERNEL), wanted);
            assert_sane(&map);
            if (wanted == 0)
                continue;
            found++;
            assert_false(memory_map_is_free(&map, wanted, PAGE));
            memory_map_retype(&map, wanted, bytes, KERNEL, ACPI);
        }
    }
    assert_in_range(found, 1000, 3500);
}

static void take_refuses_what_no_map_has(void **state)
{
    static const uint64_t sizes[] = {FAKE_RAM_BYTES + PAGE, FOUR_GIB, 1ull << 63, 0 - PAGE};
    struct memory_map map;

    (void)state;
    firmware_memory_map(&map);
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_int_equal(memory_map_take(&map, sizes[i], PAGE, 0, LOADER), 0);
    assert_int_equal(memory_map_take(&map, FAKE_RAM_BYTES, PAGE, 0, LOADER), FAKE_RAM_PADDR);
}

static void pages_are_taken_whole_and_zeroed(void **state)
{
    struct memory_map map;
    uint64_t paddr;

    (void)state;
    firmware_memory_map(&map);
    paddr = memory_map_take_pages(&map, PAGE + 1);
    assert_int_equal(paddr, FAKE_RAM_END - 2 * PAGE);

    const uint8_t *bytes = (const void *)(uintptr_t)paddr;
    assert_int_equal(bytes[-1], FAKE_RAM_JUNK);
    for (size_t i = 0; i < 2 * PAGE; i++)
        assert_int_equal(bytes[i], 0);
}

static void take_pages(void *argument)
{
    struct memory_map map;
    const uint64_t *bytes = argument;

    firmware_memory_map(&map);
    memory_map_take_pages(&map, *bytes);
}

static void too_many_pages_are_an_error(void **state)
{
    static const uint64_t sizes[] = {FAKE_RAM_BYTES + 1, FOUR_GIB, UINT64_MAX - PAGE, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint64_t bytes = sizes[i];

        assert_int_equal(fake_run(take_pages, &bytes), FAKE_STOPPED);
        assert_int_equal(fake_error(), ERROR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_sorted_and_merged),
        cmocka_unit_test(an_entry_splits_another_in_three),
        cmocka_unit_test(the_worst_type_wins),
        cmocka_unit_test(unknown_types_are_reserved),
        cmocka_unit_test(empty_entries_leave_nothing),
        cmocka_unit_test(entries_end_with_the_address_space),
        cmocka_unit_test_setup(a_full_map_is_an_error, set_up),
        cmocka_unit_test_setup(random_entries_agree_with_the_model, set_up),
        cmocka_unit_test(leased_ranges_shrink_to_whole_pages),
        cmocka_unit_test(retype_agrees_with_the_model),
        cmocka_unit_test(is_free_agrees_with_the_model),
        cmocka_unit_test(shadowed_memory_is_free_but_not_taken),
        cmocka_unit_test(next_ram_finds_all_of_it),
        cmocka_unit_test_setup(next_ram_is_not_changed_by_takes, set_up),
        cmocka_unit_test(take_finds_the_highest_place),
        cmocka_unit_test_setup(take_refuses_what_no_map_has, set_up),
        cmocka_unit_test_setup(pages_are_taken_whole_and_zeroed, set_up),
        cmocka_unit_test_setup(too_many_pages_are_an_error, set_up),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
