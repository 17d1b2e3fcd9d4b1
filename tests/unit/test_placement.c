/*
 * Placement: which segments stay together, where, and with what rights, from kernels made by hand.
 */
#include "support.h"

#include "placement.h"

#include "bootimage/image.h"

#include <stdlib.h>

#define HIGH 0xffffffff80000000ull
#define MIB 0x100000ull

enum { READ = 0, WRITE = 1, EXECUTE = 2 };

static struct kernel_segment segment(uint64_t vaddr, uint64_t paddr, uint64_t bytes, int rights)
{
    return (struct kernel_segment){
        .vaddr = vaddr,
        .paddr = paddr,
        .memory_bytes = bytes,
        .writable = rights & WRITE,
        .executable = rights & EXECUTE,
    };
}

static struct placement place(struct kernel_segment *segments, size_t count)
{
    struct kernel kernel = support_kernel(segments, count);
    struct placement placement;
    struct error error = {0};

    assert_true(placement_build(&placement, &kernel, &error));
    assert_null(error.text);
    return placement;
}

#define PLACE(segments) place(segments, sizeof(segments) / sizeof((segments)[0]))

static void assert_region(const struct placement *placement, size_t index, uint64_t vaddr,
                          uint64_t bytes, uint64_t paddr, size_t segment_count)
{
    assert_true(index < placement->region_count);
    const struct placement_region *region = &placement->regions[index];

    assert_int_equal(region->vaddr, vaddr);
    assert_int_equal(region->bytes, bytes);
    assert_int_equal(region->paddr, paddr);
    assert_int_equal(region->segment_count, segment_count);
}

static void assert_mapping(const struct placement *placement, size_t index, uint64_t vaddr,
                           uint64_t bytes, int rights)
{
    assert_true(index < placement->mapping_count);
    const struct placement_mapping *mapping = &placement->mappings[index];

    assert_int_equal(mapping->vaddr, vaddr);
    assert_int_equal(mapping->bytes, bytes);
    assert_int_equal(mapping->writable, (rights & WRITE) != 0);
    assert_int_equal(mapping->executable, (rights & EXECUTE) != 0);
}

static void pages_are_whole(void **state)
{
    struct kernel_segment segments[] = {segment(HIGH + 0x123, MIB + 0x123, 0x1000, READ)};
    struct placement placement = PLACE(segments);

    (void)state;
    assert_int_equal(placement.region_count, 1);
    assert_region(&placement, 0, HIGH, 0x2000, MIB, 1);
    assert_int_equal(placement.mapping_count, 1);
    assert_mapping(&placement, 0, HIGH, 0x2000, READ);
    placement_free(&placement);
}

static void gaps_up_to_16_mib_stay_in_a_region(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x1000, EXECUTE),
        segment(17 * MIB + 0x1000, 17 * MIB + 0x1000, 0x1000, READ),
        segment(33 * MIB + 0x3000, 33 * MIB + 0x3000, 0x1000, WRITE),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_int_equal(placement.region_count, 2);
    assert_region(&placement, 0, MIB, 16 * MIB + 0x2000, MIB, 2);
    assert_region(&placement, 1, 33 * MIB + 0x3000, 0x1000, 33 * MIB + 0x3000, 1);
    /* The gap is not mapped. */
    assert_int_equal(placement.mapping_count, 3);
    assert_int_equal(placement.regions[0].mapping_count, 2);
    assert_int_equal(placement.regions[1].first_mapping, 2);
    placement_free(&placement);
}

static void other_distances_make_other_regions(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x1000, EXECUTE),
        segment(HIGH + 2 * MIB, 2 * MIB, 0x1000, EXECUTE),
        segment(HIGH + 3 * MIB, 3 * MIB, 0x1000, WRITE),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_true(placement.fixed);
    assert_int_equal(placement.region_count, 2);
    assert_region(&placement, 0, MIB, 0x1000, MIB, 1);
    assert_region(&placement, 1, HIGH + 2 * MIB, MIB + 0x1000, 2 * MIB, 2);
    placement_free(&placement);
}

/* Low boot code before and behind the rest of the kernel: no gap may swallow the rest. */
static void regions_in_a_gap_of_another(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x1000, EXECUTE),
        segment(3 * MIB, 3 * MIB, 0x1000, WRITE),
        segment(HIGH + 2 * MIB, 2 * MIB, 0x1000, EXECUTE),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_true(placement.fixed);
    assert_int_equal(placement.region_count, 3);
    assert_region(&placement, 0, MIB, 0x1000, MIB, 1);
    assert_region(&placement, 1, 3 * MIB, 0x1000, 3 * MIB, 1);
    assert_region(&placement, 2, HIGH + 2 * MIB, 0x1000, 2 * MIB, 1);
    placement_free(&placement);
}

static void meaningless_addresses(void **state)
{
    static const struct {
        uint64_t vaddr;
        uint64_t paddr;
        bool fixed;
    } cases[] = {
        {MIB, MIB, true},
        {HIGH, MIB, true},
        {HIGH, 0xfffff000, true},
        {HIGH, 0x100000000, false},
        {HIGH, HIGH, false},
        {0x100000000, 0x100000000, false},
        {HIGH, 0, false},
        {MIB, 0, false},
        {MIB + 0x10, MIB + 0x20, false},
        {MIB + 0x10, 2 * MIB + 0x10, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kernel_segment segments[] = {segment(cases[i].vaddr, cases[i].paddr, 1, READ)};
        struct placement placement = PLACE(segments);

        assert_int_equal(placement.fixed, cases[i].fixed);
        assert_int_equal(placement.regions[0].paddr,
                         cases[i].fixed ? cases[i].paddr & ~0xfffull : PLAN_PADDR_ANYWHERE);
        placement_free(&placement);
    }
}

static void one_meaningless_address_spoils_all(void **state)
{
    struct kernel_segment segments[] = {
        segment(HIGH + MIB, MIB, 0x1000, EXECUTE),
        segment(HIGH + 2 * MIB, HIGH + 2 * MIB, 0x1000, READ),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_false(placement.fixed);
    assert_int_equal(placement.region_count, 1);
    assert_region(&placement, 0, HIGH + MIB, MIB + 0x1000, PLAN_PADDR_ANYWHERE, 2);
    placement_free(&placement);
}

static void physical_overlap_spoils_all(void **state)
{
    struct kernel_segment bytes[] = {
        segment(2 * MIB, 4 * MIB, 0x2000, EXECUTE),
        segment(HIGH, 4 * MIB + 0x1000, 0x1000, READ),
    };
    struct kernel_segment page[] = {
        segment(2 * MIB, 4 * MIB, 0x800, EXECUTE),
        segment(HIGH + 0x800, 4 * MIB + 0x800, 0x800, READ),
    };
    struct placement placement = PLACE(bytes);

    (void)state;
    assert_false(placement.fixed);
    assert_int_equal(placement.region_count, 2);
    placement_free(&placement);
    placement = PLACE(page);
    assert_false(placement.fixed);
    placement_free(&placement);
}

/* One virtual page cannot be at two physical places. */
static void virtual_page_in_two_places_spoils_all(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, 2 * MIB, 0x800, EXECUTE),
        segment(MIB + 0x800, 4 * MIB + 0x800, 0x800, READ),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_false(placement.fixed);
    assert_int_equal(placement.region_count, 1);
    assert_region(&placement, 0, MIB, 0x1000, PLAN_PADDR_ANYWHERE, 2);
    placement_free(&placement);
}

static void equal_neighbours_become_one_mapping(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x1000, READ),
        segment(MIB + 0x1000, MIB + 0x1000, 0x10, READ),
        segment(MIB + 0x1800, MIB + 0x1800, 0x1000, READ),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_int_equal(placement.mapping_count, 1);
    assert_mapping(&placement, 0, MIB, 0x3000, READ);
    placement_free(&placement);
}

static void shared_pages_have_the_rights_of_all(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x1100, EXECUTE),
        segment(MIB + 0x1200, MIB + 0x1200, 0x100, READ),
        segment(MIB + 0x1300, MIB + 0x1300, 0x100, WRITE),
        segment(MIB + 0x1400, MIB + 0x1400, 0x2000, READ),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_int_equal(placement.mapping_count, 3);
    assert_mapping(&placement, 0, MIB, 0x1000, EXECUTE);
    assert_mapping(&placement, 1, MIB + 0x1000, 0x1000, WRITE | EXECUTE);
    assert_mapping(&placement, 2, MIB + 0x2000, 0x2000, READ);
    assert_int_equal(placement.mixed_page_count, 1);
    assert_int_equal(placement.mixed_page_vaddr, MIB + 0x1000);
    placement_free(&placement);
}

static void mixed_segments_are_not_mixed_pages(void **state)
{
    struct kernel_segment segments[] = {
        segment(MIB, MIB, 0x800, WRITE | EXECUTE),
        segment(MIB + 0x800, MIB + 0x800, 0x800, READ),
        segment(MIB + 0x1000, MIB + 0x1000, 0x800, READ),
        segment(MIB + 0x1800, MIB + 0x1800, 0x800, WRITE | EXECUTE),
    };
    struct placement placement = PLACE(segments);

    (void)state;
    assert_int_equal(placement.mixed_page_count, 0);
    assert_int_equal(placement.mapping_count, 1);
    assert_mapping(&placement, 0, MIB, 0x2000, WRITE | EXECUTE);
    placement_free(&placement);
}

/* Each segment a page of its own rights, and each page shared by the next: no array is too small.
 */
static void many_segments(void **state)
{
    enum { COUNT = 5000 };
    struct kernel_segment *segments = calloc(COUNT, sizeof(*segments));

    (void)state;
    assert_non_null(segments);
    for (size_t i = 0; i < COUNT; i++)
        segments[i] = segment(MIB + i * 0x1800, MIB + i * 0x1800, 0x1800, i % 2 ? WRITE : EXECUTE);
    struct placement placement = place(segments, COUNT);
    assert_int_equal(placement.region_count, 1);
    /* Three pages for two segments: the middle one has the rights of both. */
    assert_int_equal(placement.mapping_count, COUNT / 2 * 3);
    assert_int_equal(placement.mixed_page_count, COUNT / 2);
    placement_free(&placement);
    free(segments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_whole),
        cmocka_unit_test(gaps_up_to_16_mib_stay_in_a_region),
        cmocka_unit_test(other_distances_make_other_regions),
        cmocka_unit_test(regions_in_a_gap_of_another),
        cmocka_unit_test(meaningless_addresses),
        cmocka_unit_test(one_meaningless_address_spoils_all),
        cmocka_unit_test(physical_overlap_spoils_all),
        cmocka_unit_test(virtual_page_in_two_places_spoils_all),
        cmocka_unit_test(equal_neighbours_become_one_mapping),
        cmocka_unit_test(shared_pages_have_the_rights_of_all),
        cmocka_unit_test(mixed_segments_are_not_mixed_pages),
        cmocka_unit_test(many_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
