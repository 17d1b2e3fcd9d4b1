/*
 * The place of a kernel that may move in physical memory: the plan's regions, and what lies between
 * them, keep their distances. Next they are placed there.
 */
#include "extent.h"

#include "log.h"
#include "memory_map.h"
#include "plan.h"
#include "relocation.h"

/* From the first region's first byte to the last one's last. */
struct block {
    uint64_t paddr, bytes;
    const struct plan_extent *wish;
    /* What a place has to be. */
    bool (*is_good)(const struct memory_map *map, uint64_t paddr, uint64_t bytes);
};

static struct block block_of(const struct plan *plan, const struct plan_extent *wish)
{
    const struct plan_record *record = plan_find(plan, NULL, PLAN_REGION);
    struct block block = {.paddr = ((const struct plan_region *)(const void *)record)->paddr,
                          .wish = wish};

    for (; record; record = plan_find(plan, record, PLAN_REGION)) {
        const struct plan_region *region = (const void *)record;

        block.bytes = region->paddr + region->bytes - block.paddr;
    }
    return block;
}

static bool fits(const struct block *block, const struct memory_map *map, uint64_t paddr)
{
    const struct plan_extent *wish = block->wish;

    return paddr >= wish->least_paddr && paddr % wish->align == 0 &&
           paddr % MEMORY_PAGE_BYTES == 0 && paddr <= wish->most_paddr &&
           block->bytes - 1 <= wish->most_paddr - paddr && block->is_good(map, paddr, block->bytes);
}

static uint64_t step_of(const struct block *block)
{
    return block->wish->align > MEMORY_PAGE_BYTES ? block->wish->align : MEMORY_PAGE_BYTES;
}

/* The lowest place begins where a range does, or where the wish does, or at the next step. */
static bool find_low(const struct block *block, const struct memory_map *map, uint64_t *found)
{
    const uint64_t step = step_of(block);

    for (size_t i = 0; i < map->count; i++) {
        uint64_t start = map->ranges[i].base_paddr;

        if (start < block->wish->least_paddr)
            start = block->wish->least_paddr;
        *found = (start + step - 1) / step * step;
        if (fits(block, map, *found))
            return true;
    }
    return false;
}

/* The highest one ends so. */
static bool find_high(const struct block *block, const struct memory_map *map, uint64_t *found)
{
    const uint64_t step = step_of(block);

    for (size_t i = map->count; i-- > 0;) {
        uint64_t end = map->ranges[i].base_paddr + map->ranges[i].bytes;

        if (end > block->wish->most_paddr)
            end = block->wish->most_paddr + 1;
        if (end < block->bytes)
            continue;
        *found = (end - block->bytes) / step * step;
        if (fits(block, map, *found))
            return true;
    }
    return false;
}

static bool find_place(const struct block *block, const struct memory_map *map, uint64_t *found)
{
    *found = block->paddr;
    if (block->wish->preference == PLAN_PREFER_HIGH)
        return find_high(block, map, found);
    return (block->wish->preference == PLAN_PREFER_ANY && fits(block, map, *found)) ||
           find_low(block, map, found);
}

/* Best one from which nothing has to be moved. */
void extent_choose(struct plan *plan, const struct memory_map *map)
{
    const struct plan_extent *wish = (const void *)plan_find(plan, NULL, PLAN_EXTENT);
    uint64_t found;

    if (!wish)
        return;
    struct block block = block_of(plan, wish);
    block.is_good = memory_map_is_free;
    bool is_found = find_place(&block, map, &found);
    if (!is_found) {
        block.is_good = memory_map_will_be_free;
        is_found = find_place(&block, map, &found);
    }
    if (!is_found)
        fail(ERROR_NO_MEMORY, {"kernel bytes", block.bytes}, {"from", wish->least_paddr},
             {"to", wish->most_paddr});
    relocation_move(plan, found - block.paddr);
    for (struct plan_record *record = plan_find(plan, NULL, PLAN_REGION); record;
         record = plan_find(plan, record, PLAN_REGION)) {
        struct plan_region *region = (void *)record;

        region->paddr = region->vaddr;
    }
}
