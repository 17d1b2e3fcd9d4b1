/*
 * Third step: segments become regions and mappings, after a protocol found their addresses sound.
 *
 * Linkers put into p_paddr what they like when nobody says what it is for. It counts only if all of
 * a kernel's segments agree on something a machine can do; else the loader picks the place. plan.c
 * writes down what comes out here.
 */
#include "placement.h"

#include "bootimage/image.h"

#include <stdlib.h>

#define FOUR_GIB 0x100000000ull
/* Memory between two segments that is worth wasting to keep them in one region. */
#define GAP_BYTES (16ull << 20)

uint64_t placement_page_start(const struct kernel_segment *segment)
{
    return segment->vaddr & ~(uint64_t)(PLACEMENT_PAGE_BYTES - 1);
}

uint64_t placement_page_end(const struct kernel_segment *segment)
{
    uint64_t end = segment->vaddr + segment->memory_bytes;

    return (end + PLACEMENT_PAGE_BYTES - 1) & ~(uint64_t)(PLACEMENT_PAGE_BYTES - 1);
}

/* Not above 4 GiB, where the loader cannot put anything before it has page tables; so neither what
   is linked high and has its p_vaddr for a p_paddr, as linkers do by default. */
static bool paddr_means_something(const struct kernel_segment *segment)
{
    if (segment->paddr >= FOUR_GIB || segment->memory_bytes > FOUR_GIB - segment->paddr)
        return false;
    /* No page table could map it. */
    if ((segment->paddr - segment->vaddr) % PLACEMENT_PAGE_BYTES != 0)
        return false;
    /* Some linkers leave it 0. */
    return segment->paddr != 0 || segment->vaddr == 0;
}

/* Splits the segments into regions; gap_bytes is the largest gap inside one. */
static void build_regions(struct placement *placement, const struct kernel *kernel,
                          uint64_t gap_bytes)
{
    placement->region_count = 0;
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];
        struct placement_region *region =
            placement->region_count ? &placement->regions[placement->region_count - 1] : NULL;
        uint64_t start = placement_page_start(segment);
        uint64_t paddr =
            placement->fixed ? segment->paddr - (segment->vaddr - start) : PLAN_PADDR_ANYWHERE;

        /* Segments may share a page: then start is below the region's end, and no gap. */
        if (region) {
            uint64_t end = region->vaddr + region->bytes;
            uint64_t gap = start > end ? start - end : 0;
            bool together = !placement->fixed || paddr - start == region->paddr - region->vaddr;

            if (together && gap <= gap_bytes) {
                region->bytes = placement_page_end(segment) - region->vaddr;
                region->segment_count++;
                continue;
            }
        }
        placement->regions[placement->region_count++] = (struct placement_region){
            .vaddr = start,
            .bytes = placement_page_end(segment) - start,
            .paddr = paddr,
            .first_segment = i,
            .segment_count = 1,
        };
    }
}

static int compare_paddr(const void *left, const void *right)
{
    const struct placement_region *a = left;
    const struct placement_region *b = right;

    return a->paddr < b->paddr ? -1 : a->paddr > b->paddr;
}

static int compare_vaddr(const void *left, const void *right)
{
    const struct placement_region *a = left;
    const struct placement_region *b = right;

    return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

/* Whether two regions need the same physical page, or put one virtual page in two places. */
static bool regions_collide(struct placement *placement)
{
    struct placement_region *regions = placement->regions;
    size_t count = placement->region_count;
    bool collide = false;

    for (size_t i = 1; i < count; i++)
        collide |= regions[i].vaddr < regions[i - 1].vaddr + regions[i - 1].bytes;
    qsort(regions, count, sizeof(*regions), compare_paddr);
    for (size_t i = 1; i < count; i++)
        collide |= regions[i].paddr < regions[i - 1].paddr + regions[i - 1].bytes;
    qsort(regions, count, sizeof(*regions), compare_vaddr);
    return collide;
}

/* With the physical addresses of the file where that is possible, else with none. */
static void place_regions(struct placement *placement, const struct kernel *kernel)
{
    placement->fixed = true;
    for (size_t i = 0; i < kernel->segment_count; i++)
        placement->fixed &= paddr_means_something(&kernel->segments[i]);
    if (placement->fixed) {
        build_regions(placement, kernel, GAP_BYTES);
        if (!regions_collide(placement))
            return;
        /* Perhaps one region only lies in a gap of another. */
        build_regions(placement, kernel, 0);
        if (!regions_collide(placement))
            return;
        placement->fixed = false;
    }
    build_regions(placement, kernel, GAP_BYTES);
}

/* Appends pages with these rights to the region, to its last mapping where they continue it. */
static void add_pages(struct placement *placement, struct placement_region *region, uint64_t start,
                      uint64_t end, bool writable, bool executable)
{
    struct placement_mapping *last =
        region->mapping_count ? &placement->mappings[placement->mapping_count - 1] : NULL;

    if (start >= end)
        return;
    if (last && last->vaddr + last->bytes == start && last->writable == writable &&
        last->executable == executable) {
        last->bytes = end - last->vaddr;
        return;
    }
    placement->mappings[placement->mapping_count++] = (struct placement_mapping){
        .vaddr = start, .bytes = end - start, .writable = writable, .executable = executable};
    region->mapping_count++;
}

/* The last mapped page of the region also belongs to this segment: takes it out of its mapping and
   puts it back with the rights of both. */
static void share_page(struct placement *placement, struct placement_region *region,
                       const struct kernel_segment *segment)
{
    struct placement_mapping *last = &placement->mappings[placement->mapping_count - 1];
    uint64_t page = placement_page_start(segment);
    bool writable = last->writable || segment->writable;
    bool executable = last->executable || segment->executable;
    bool mixed_before =
        (last->writable && last->executable) || (segment->writable && segment->executable);

    if (writable && executable && !mixed_before) {
        if (placement->mixed_page_count++ == 0)
            placement->mixed_page_vaddr = page;
    }
    last->bytes -= PLACEMENT_PAGE_BYTES;
    if (last->bytes == 0) {
        placement->mapping_count--;
        region->mapping_count--;
    }
    add_pages(placement, region, page, page + PLACEMENT_PAGE_BYTES, writable, executable);
}

/* As segments are sorted and share no byte, all that two of them can share is one page. */
static void map_region(struct placement *placement, struct placement_region *region,
                       const struct kernel *kernel)
{
    uint64_t mapped_end = 0;

    region->first_mapping = placement->mapping_count;
    for (size_t i = 0; i < region->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[region->first_segment + i];
        uint64_t start = placement_page_start(segment);
        uint64_t end = placement_page_end(segment);

        if (start < mapped_end) {
            share_page(placement, region, segment);
            start = mapped_end;
        }
        add_pages(placement, region, start, end, segment->writable, segment->executable);
        mapped_end = end;
    }
}

bool placement_build(struct placement *placement, const struct kernel *kernel, struct error *error)
{
    size_t count = kernel->segment_count;

    *placement = (struct placement){
        .regions = calloc(count, sizeof(*placement->regions)),
        /* A segment adds at most two: the page it shares and the rest. */
        .mappings = calloc(count, 2 * sizeof(*placement->mappings)),
    };
    if (!placement->regions || !placement->mappings) {
        placement_free(placement);
        return error_out_of_memory(error);
    }
    place_regions(placement, kernel);
    for (size_t i = 0; i < placement->region_count; i++)
        map_region(placement, &placement->regions[i], kernel);
    return true;
}

void placement_free(struct placement *placement)
{
    free(placement->regions);
    free(placement->mappings);
    *placement = (struct placement){0};
}
