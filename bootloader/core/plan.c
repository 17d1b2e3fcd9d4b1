/*
 * The load plan, from the disk to a chain of records that can be trusted. A damaged disk is found
 * by the checksum; plan_check.c then looks at the records.
 */
#include "plan.h"

#include "checksum.h"
#include "firmware.h"
#include "log.h"
#include "memory_map.h"
#include "plan_check.h"

#include <string.h>

struct plan_record *plan_next(const struct plan *plan, const struct plan_record *previous)
{
    uint8_t *start = (uint8_t *)plan->prefix;
    uint8_t *at = start + sizeof(*plan->prefix);

    if (previous)
        at = start + ((const uint8_t *)previous - start) + previous->bytes;
    return at < start + plan->prefix->plan_bytes ? (struct plan_record *)(void *)at : NULL;
}

struct plan_record *plan_find(const struct plan *plan, const struct plan_record *previous,
                              enum plan_record_type type)
{
    struct plan_record *record = plan_next(plan, previous);

    while (record && record->type != type)
        record = plan_next(plan, record);
    return record;
}

static void check_prefix(const struct image_plan *prefix, const struct firmware_boot *boot)
{
    if (memcmp(prefix->magic, IMAGE_PLAN_MAGIC, sizeof(prefix->magic)) ||
        prefix->image_id != boot->image_id || prefix->plan_bytes != boot->plan_bytes ||
        prefix->partition_bytes < prefix->plan_bytes)
        fail(ERROR_PLAN_DAMAGED, {"sector", boot->plan_lba});
    if (prefix->format_version != IMAGE_FORMAT_VERSION)
        fail(ERROR_PLAN_UNKNOWN, {"format", prefix->format_version});
}

void plan_read(struct plan *plan, const struct firmware_boot *boot, struct memory_map *map)
{
    uint64_t bytes = boot->plan_bytes;

    if (bytes < sizeof(*plan->prefix))
        fail(ERROR_PLAN_DAMAGED, {"bytes", bytes});
    uint64_t paddr = memory_map_take_pages(map, bytes);
    *plan = (struct plan){(void *)(uintptr_t)paddr, boot->plan_lba, bytes};
    firmware_read_disk(boot->plan_lba, bytes, paddr);
    check_prefix(plan->prefix, boot);

    uint64_t expected = plan->prefix->xxh64;
    plan->prefix->xxh64 = 0;
    uint64_t found = checksum_xxh64(plan->prefix, bytes);
    if (found != expected)
        fail(ERROR_PLAN_DAMAGED, {"checksum", found}, {"expected", expected});
    plan_check(plan);
}

void plan_free(const struct plan *plan, struct memory_map *map)
{
    uint64_t bytes = (plan->bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);

    memory_map_retype(map, (uintptr_t)plan->prefix, bytes, BOOTINFO_MEMORY_LOADER,
                      BOOTINFO_MEMORY_USABLE);
}
