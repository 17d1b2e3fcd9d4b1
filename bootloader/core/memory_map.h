/*
 * The map of physical memory: what the firmware says, made sane, and what the loader takes from it.
 * It is also the loader's only allocator. Sorted, disjoint, neighbours of one type merged, at any
 * time; as large as the storage that the front end gives it.
 */
#ifndef BOOTLOADER_CORE_MEMORY_MAP_H
#define BOOTLOADER_CORE_MEMORY_MAP_H

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_PAGE_BYTES 4096ull

/* Usable memory which the loader must not use for itself: the kernel's own mapping covers the
   virtual address that would lead there. Never handed to a kernel: becomes usable again. */
#define MEMORY_SHADOWED 0x100u

/* RAM that the firmware, or the loader, keeps until the firmware is left, and that is usable then.
   Never handed to a kernel: becomes usable. */
#define MEMORY_LEASED 0x101u
/* Usable memory in which something waits to be moved to leased memory. Never handed to a kernel:
   becomes usable. */
#define MEMORY_STAGED 0x102u

struct memory_map {
    struct bootinfo_memory_range *ranges;
    size_t count;
    size_t capacity;
};

/* Add a range as the firmware tells it. Where it overlaps others, the worst type wins: bad,
   reserved, ACPI NVS, ACPI reclaimable, usable. Unknown types are reserved. */
void memory_map_add(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t type);

/* Give a range, in whole pages, a type whatever it was; but what has been taken stays taken. */
void memory_map_set(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t type);

/* After the last memory_map_add(): usable and leased ranges shrink to whole pages, and page 0 is
   leased, so that the loader itself never uses it. */
void memory_map_align(struct memory_map *map);

/* All of [paddr, paddr + bytes) that is of type `from` becomes `to`. */
void memory_map_retype(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t from,
                       uint32_t to);

/* The sum of all ranges of this type. */
uint64_t memory_map_total(const struct memory_map *map, uint32_t type);

/* Is all of [paddr, paddr + bytes) free: usable or shadowed? */
bool memory_map_is_free(const struct memory_map *map, uint64_t paddr, uint64_t bytes);

/* Will it be, once the firmware was left? */
bool memory_map_will_be_free(const struct memory_map *map, uint64_t paddr, uint64_t bytes);

/* The next stretch of memory of types that are wanted, in whole pages, that begins at *paddr or
   behind it. Moves *paddr to its start; returns its length, 0 at the end. */
uint64_t memory_map_next(const struct memory_map *map, uint64_t *paddr,
                         bool (*is_wanted)(uint32_t type));

/* The same of RAM: usable, taken, shadowed or ACPI's. What the loader takes meanwhile does not
   change it. */
uint64_t memory_map_next_ram(const struct memory_map *map, uint64_t *paddr);

/* Take `bytes` of usable memory between 1 MiB and 4 GiB, as high as can be, at an address congruent
   to `offset` modulo `align` (a power of two), and give it `type`. 0: there is none. */
uint64_t memory_map_take(struct memory_map *map, uint64_t bytes, uint64_t align, uint64_t offset,
                         uint32_t type);

/* Take `bytes` in whole pages of memory of type `from` in [start, end), as low as can be, and give
   it type `to`. 0: there is none. */
uint64_t memory_map_take_lowest(struct memory_map *map, uint64_t bytes, uint64_t start,
                                uint64_t end, uint32_t from, uint32_t to);

/* All that only the loader distinguishes becomes usable, but for page 0: for a kernel that is told
   what the loader has taken. */
void memory_map_settle(struct memory_map *map);

/* All that only the loader distinguishes, and what it has taken, becomes usable: for a kernel that
   is told of RAM as the firmware has it. */
void memory_map_release(struct memory_map *map);

/* Take whole pages for the loader's own use, and fill them with zeros. Fails when there are none.
 */
uint64_t memory_map_take_pages(struct memory_map *map, uint64_t bytes);

#endif
