/*
 * Loading: placed regions are filled and checked. Next the boot protocol prepares the machine.
 */
#include "load.h"

#include "checksum.h"
#include "cpu.h"
#include "firmware.h"
#include "log.h"
#include "plan.h"

#include <string.h>

static void *at(const struct plan_region *region, uint64_t vaddr)
{
    return (void *)(uintptr_t)(plan_load_paddr(region) + (vaddr - region->vaddr));
}

uint64_t load_payload(const struct plan *plan, uint64_t payload_offset, uint64_t bytes,
                      uint64_t paddr, struct load_ticks *ticks)
{
    const uint64_t start = cpu_read_tsc();
    const uint64_t copy =
        firmware_read_disk(plan->lba + payload_offset / IMAGE_SECTOR_BYTES, bytes, paddr);
    const uint64_t there = cpu_read_tsc();
    const uint64_t found = checksum_xxh64((const void *)(uintptr_t)paddr, bytes);

    ticks->read += there - start - copy;
    ticks->copy += copy;
    ticks->check += cpu_read_tsc() - there;
    return found;
}

static void load_segment(const struct plan *plan, const struct plan_region *region,
                         const struct plan_segment *segment, struct load_ticks *ticks)
{
    uint64_t found = load_payload(plan, segment->payload_offset, segment->file_bytes,
                                  (uintptr_t)at(region, segment->vaddr), ticks);

    if (found != segment->xxh64)
        fail(ERROR_PAYLOAD_DAMAGED, {"segment", segment->index}, {"checksum", found},
             {"expected", segment->xxh64});
}

static void clear(const struct plan_region *region, uint64_t start, uint64_t end)
{
    if (!(region->flags & PLAN_REGION_NOT_CLEARED))
        memset(at(region, start), 0, end - start);
}

/* The segments of the region, which are sorted, and zeros before, between and behind them. */
static void load_region(const struct plan *plan, const struct plan_region *region,
                        struct load_ticks *ticks)
{
    uint64_t filled = region->vaddr;
    const struct plan_record *record = plan_next(plan, &region->record);

    for (; record && record->type != PLAN_REGION; record = plan_next(plan, record)) {
        const struct plan_segment *segment = (const void *)record;

        if (record->type != PLAN_SEGMENT)
            continue;
        clear(region, filled, segment->vaddr);
        load_segment(plan, region, segment, ticks);
        filled = segment->vaddr + segment->file_bytes;
    }
    clear(region, filled, region->vaddr + region->bytes);
}

void load_regions(const struct plan *plan, struct load_ticks *ticks)
{
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION)))
        load_region(plan, (const void *)record, ticks);
}
