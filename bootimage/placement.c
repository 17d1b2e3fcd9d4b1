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
    placement->fixed = !kernel->anywhere;
    /* Without paging nothing may move, and nobody has to map what lies between. */
    if (kernel->physical) {
        build_regions(placement, kernel, 0);
        return;
    }
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
    build_regions(placement, kernel, kernel->together ? UINT64_MAX : GAP_BYTES);
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

/* The last mapped page of the region also belongs to this part: takes it out of its mapping and
   puts it back with the rights of both. */
static void share_page(struct placement *placement, struct placement_region *region,
                       const struct placement_mapping *part)
{
    struct placement_mapping *last = &placement->mappings[placement->mapping_count - 1];
    uint64_t page = part->vaddr;
    bool writable = last->writable || part->writable;
    bool executable = last->executable || part->executable;
    bool mixed_before =
        (last->writable && last->executable) || (part->writable && part->executable);

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

/* As segments are sorted and share no byte, all that a part can share with those before it is one
   page. */
static void map_part(struct placement *placement, struct placement_region *region,
                     const struct placement_mapping *part)
{
    const struct placement_mapping *last =
        region->mapping_count ? &placement->mappings[placement->mapping_count - 1] : NULL;
    uint64_t start = part->vaddr;

    if (part->bytes == 0)
        return;
    if (last && start < last->vaddr + last->bytes) {
        share_page(placement, region, part);
        start += PLACEMENT_PAGE_BYTES;
    }
    add_pages(placement, region, start, part->vaddr + part->bytes, part->writable,
              part->executable);
}

/* The pages on which all bytes of the segment lie in PT_GNU_RELRO. One that it shares with bytes
   that stay writable has to stay writable, too. */
static void find_relro_pages(const struct kernel_relro *relro, const struct kernel_segment *segment,
                             uint64_t *start, uint64_t *end)
{
    uint64_t segment_end = segment->vaddr + segment->memory_bytes;
    uint64_t page_mask = PLACEMENT_PAGE_BYTES - 1;

    *start = *end = placement_page_end(segment);
    if (relro->start >= segment_end || relro->end <= segment->vaddr)
        return;
    *start = relro->start <= segment->vaddr ? placement_page_start(segment)
                                            : (relro->start + page_mask) & ~page_mask;
    *end = relro->end >= segment_end ? placement_page_end(segment) : relro->end & ~page_mask;
    if (*start > *end)
        *start = *end = placement_page_end(segment);
}

static void map_segment(struct placement *placement, struct placement_region *region,
                        const struct kernel_segment *segment, const struct kernel_relro *relro)
{
    uint64_t start = placement_page_start(segment);
    uint64_t end = placement_page_end(segment);
    uint64_t relro_start, relro_end;

    find_relro_pages(relro, segment, &relro_start, &relro_end);
    struct placement_mapping parts[] = {
        {start, relro_start - start, segment->writable, segment->executable},
        {relro_start, relro_end - relro_start, false, segment->executable},
        {relro_end, end - relro_end, segment->writable, segment->executable},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        map_part(placement, region, &parts[i]);
}

static void map_region(struct placement *placement, struct placement_region *region,
                       const struct kernel *kernel)
{
    region->first_mapping = placement->mapping_count;
    for (size_t i = 0; i < region->segment_count; i++)
        map_segment(placement, region, &kernel->segments[region->first_segment + i],
                    &kernel->relro);
}

bool placement_build(struct placement *placement, const struct kernel *kernel, struct error *error)
{
    size_t count = kernel->segment_count;

    *placement = (struct placement){
        .regions = calloc(count, sizeof(*placement->regions)),
        /* A segment adds at most four: the page it shares and the rest, before PT_GNU_RELRO, in it
           and behind it. */
        .mappings = calloc(count, 4 * sizeof(*placement->mappings)),
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
