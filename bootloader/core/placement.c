/*
 * Placement: every region of the plan gets its physical memory. Next the regions are loaded.
 */
#include "placement.h"

#include "log.h"
#include "memory_map.h"
#include "plan.h"

#define IDENTITY_END 0x100000000ull
#define LARGE_PAGE_BYTES 0x200000ull

static struct plan_region *next_region(const struct plan *plan, const struct plan_region *previous)
{
    const struct plan_record *record = previous ? &previous->record : NULL;

    return (void *)plan_find(plan, record, PLAN_REGION);
}

/* The loader's own data must stay within reach: not where a kernel page hides it from the
   one-to-one map or from the map of all memory. */
static void shadow(const struct plan_region *region, struct memory_map *map)
{
    if (region->vaddr < IDENTITY_END)
        memory_map_retype(map, region->vaddr, region->bytes, BOOTINFO_MEMORY_USABLE,
                          MEMORY_SHADOWED);
    if (region->vaddr >= BOOTINFO_PHYSICAL_MEMORY)
        memory_map_retype(map, region->vaddr - BOOTINFO_PHYSICAL_MEMORY, region->bytes,
                          BOOTINFO_MEMORY_USABLE, MEMORY_SHADOWED);
}

static void take(struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    memory_map_retype(map, paddr, bytes, BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_KERNEL);
    memory_map_retype(map, paddr, bytes, MEMORY_SHADOWED, BOOTINFO_MEMORY_KERNEL);
}

/* Large regions keep their offset in a large page, so that large pages can map them. */
static void place_anywhere(struct plan_region *region, struct memory_map *map)
{
    uint64_t align = region->bytes >= LARGE_PAGE_BYTES ? LARGE_PAGE_BYTES : MEMORY_PAGE_BYTES;
    uint64_t paddr =
        memory_map_take(map, region->bytes, align, region->vaddr, BOOTINFO_MEMORY_KERNEL);

    if (!paddr && align > MEMORY_PAGE_BYTES)
        paddr = memory_map_take(map, region->bytes, MEMORY_PAGE_BYTES, 0, BOOTINFO_MEMORY_KERNEL);
    if (!paddr)
        fail(ERROR_NO_MEMORY, {"kernel bytes", region->bytes});
    region->paddr = paddr;
}

void placement_place(struct plan *plan, struct memory_map *map)
{
    struct plan_region *region;

    for (region = next_region(plan, NULL); region; region = next_region(plan, region))
        shadow(region, map);
    for (region = next_region(plan, NULL); region; region = next_region(plan, region)) {
        if (region->paddr == PLAN_PADDR_ANYWHERE)
            continue;
        if (memory_map_is_free(map, region->paddr, region->bytes))
            take(map, region->paddr, region->bytes);
        else if (region->flags & PLAN_REGION_MOVABLE)
            region->paddr = PLAN_PADDR_ANYWHERE;
        else
            fail(ERROR_NO_MEMORY, {"at", region->paddr}, {"bytes", region->bytes});
    }
    for (region = next_region(plan, NULL); region; region = next_region(plan, region)) {
        if (region->paddr == PLAN_PADDR_ANYWHERE)
            place_anywhere(region, map);
    }
}
