/*
 * The load plan that the tool made: read from the disk, checked once, then walked as it is.
 */
#ifndef BOOTLOADER_CORE_PLAN_H
#define BOOTLOADER_CORE_PLAN_H

#include <bootimage/image.h>

#include <stdbool.h>

#define PLAN_PAGE_BYTES 4096u

struct firmware_boot;
struct memory_map;

/* A plan in memory. Its records are the loader's to write to: a placed region holds its address. */
struct plan {
    struct image_plan *prefix;
    uint64_t lba; /* where the partition begins that payload offsets count from */
    uint64_t bytes;
};

/* Read the plan to memory taken from the map, and check every record of it: what follows in the
   boot trusts the plan. Fails when it is damaged or asks for what this loader does not know. */
void plan_read(struct plan *plan, const struct firmware_boot *boot, struct memory_map *map);

/* The record behind `previous`, or the first one for NULL; NULL at the end. */
struct plan_record *plan_next(const struct plan *plan, const struct plan_record *previous);

/* The first record of this type behind `previous`, or of all for NULL; NULL when there is none. */
struct plan_record *plan_find(const struct plan *plan, const struct plan_record *previous,
                              enum plan_record_type type);

/* Where a placed region is loaded: at paddr, or where it waits to be moved there (placement.h). */
static inline uint64_t plan_load_paddr(const struct plan_region *region)
{
    return region->staging_page ? (uint64_t)region->staging_page * PLAN_PAGE_BYTES : region->paddr;
}

/* Give back the memory of the plan. Until some of it is taken again, the plan is still there. */
void plan_free(const struct plan *plan, struct memory_map *map);

#endif
