/*
 * Placement: every region of the plan gets its physical memory. Next the regions are loaded.
 */
#include "placement.h"

#include "handover.h"
#include "log.h"
#include "memory_map.h"
#include "plan.h"
#include "request.h"

#define IDENTITY_END 0x100000000ull
#define LARGE_PAGE_BYTES 0x200000ull

static struct plan_region *next_region(const struct plan *plan, const struct plan_region *previous)
{
    const struct plan_record *record = previous ? &previous->record : NULL;

    return (void *)plan_find(plan, record, PLAN_REGION);
}

/* The loader's own data must stay within reach: not where a page of the kernel, or one that it asks
   for, hides it from the one-to-one map or from the map of all memory. */
static void shadow(struct memory_map *map, uint64_t physical_memory, uint64_t vaddr, uint64_t bytes)
{
    if (vaddr < IDENTITY_END)
        memory_map_retype(map, vaddr, bytes, BOOTINFO_MEMORY_USABLE, MEMORY_SHADOWED);
    if (vaddr >= physical_memory)
        memory_map_retype(map, vaddr - physical_memory, bytes, BOOTINFO_MEMORY_USABLE,
                          MEMORY_SHADOWED);
    else if (bytes > physical_memory - vaddr)
        memory_map_retype(map, 0, bytes - (physical_memory - vaddr), BOOTINFO_MEMORY_USABLE,
                          MEMORY_SHADOWED);
}

static void shadow_all(const struct plan *plan, struct memory_map *map, uint64_t physical_memory)
{
    const struct plan_region *region = NULL;
    const struct plan_request *request = NULL;

    while ((region = next_region(plan, region)))
        shadow(map, physical_memory, region->vaddr, region->bytes);
    while ((request = request_next(plan, request, BOOTINFO_REQUEST_MAP)))
        shadow(map, physical_memory, request->words[0], request->words[2]);
}

static void take(struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    memory_map_retype(map, paddr, bytes, BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_KERNEL);
    memory_map_retype(map, paddr, bytes, MEMORY_SHADOWED, BOOTINFO_MEMORY_KERNEL);
    memory_map_retype(map, paddr, bytes, MEMORY_LEASED, BOOTINFO_MEMORY_KERNEL);
}

/* It has to be where the firmware is until it is left: the region waits elsewhere. */
static void stage(struct plan_region *region, struct memory_map *map)
{
    uint64_t paddr = memory_map_take(map, region->bytes, MEMORY_PAGE_BYTES, 0, MEMORY_STAGED);

    if (!paddr)
        fail(ERROR_NO_MEMORY, {"to load what goes to", region->paddr}, {"bytes", region->bytes});
    region->staging_page = (uint32_t)(paddr / MEMORY_PAGE_BYTES);
    take(map, region->paddr, region->bytes);
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

void placement_place(struct plan *plan, struct memory_map *map, uint64_t physical_memory)
{
    struct plan_region *region;

    shadow_all(plan, map, physical_memory);
    for (region = next_region(plan, NULL); region; region = next_region(plan, region)) {
        region->staging_page = 0;
        if (region->paddr == PLAN_PADDR_ANYWHERE)
            continue;
        if (memory_map_is_free(map, region->paddr, region->bytes))
            take(map, region->paddr, region->bytes);
        else if (region->flags & PLAN_REGION_MOVABLE)
            region->paddr = PLAN_PADDR_ANYWHERE;
        else if (memory_map_will_be_free(map, region->paddr, region->bytes))
            stage(region, map);
        else
            fail(ERROR_PLACE_TAKEN, {"at", region->paddr}, {"bytes", region->bytes});
    }
    for (region = next_region(plan, NULL); region; region = next_region(plan, region)) {
        if (region->paddr == PLAN_PADDR_ANYWHERE)
            place_anywhere(region, map);
    }
}

void placement_keep_gaps(const struct plan *plan, struct memory_map *map)
{
    const struct plan_region *region = next_region(plan, NULL);
    const uint64_t start = region->paddr;
    uint64_t end = start;

    for (; region; region = next_region(plan, region))
        end = region->paddr + region->bytes;
    memory_map_retype(map, start, end - start, BOOTINFO_MEMORY_USABLE, MEMORY_SHADOWED);
}

void placement_list_moves(const struct plan *plan, struct memory_map *map,
                          struct handover *handover, uint64_t more)
{
    const struct plan_region *region = NULL;
    uint64_t most = more;

    while ((region = next_region(plan, region)))
        most += region->staging_page != 0;
    handover->moves_paddr = 0;
    handover->move_count = 0;
    if (most == 0)
        return;
    handover->moves_paddr = memory_map_take_pages(map, most * sizeof(struct handover_move));
    while ((region = next_region(plan, region))) {
        if (region->staging_page)
            handover_add_move(handover, plan_load_paddr(region), region->paddr, region->bytes);
    }
}
