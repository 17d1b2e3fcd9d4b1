/*
 * The map of physical memory, from the raw list of the firmware to what the kernel is told.
 */
#include "memory_map.h"

#include "log.h"

#include <string.h>

#define LOWEST_TAKEN 0x100000ull
#define TAKEN_END 0x100000000ull

static uint64_t range_end(const struct bootinfo_memory_range *range)
{
    return range->base_paddr + range->bytes;
}

static void insert(struct memory_map *map, size_t at, uint64_t paddr, uint64_t end, uint32_t type)
{
    if (map->count == map->capacity)
        fail(ERROR_MEMORY_MAP_FULL, {"entries", map->count});
    memmove(&map->ranges[at + 1], &map->ranges[at], (map->count - at) * sizeof(*map->ranges));
    map->ranges[at] = (struct bootinfo_memory_range){paddr, end - paddr, type, 0};
    map->count++;
}

/* Index of the first range that ends behind `paddr`. */
static size_t find(const struct memory_map *map, uint64_t paddr)
{
    size_t i = 0;

    while (i < map->count && range_end(&map->ranges[i]) <= paddr)
        i++;
    return i;
}

/* Make a range that contains `paddr` two ranges that meet there. */
static void split(struct memory_map *map, uint64_t paddr)
{
    size_t i = find(map, paddr);

    if (i == map->count || map->ranges[i].base_paddr >= paddr)
        return;
    uint64_t base = map->ranges[i].base_paddr;
    insert(map, i, base, paddr, map->ranges[i].type);
    map->ranges[i + 1].bytes -= paddr - base;
    map->ranges[i + 1].base_paddr = paddr;
}

static void merge(struct memory_map *map)
{
    size_t kept = 0;

    for (size_t i = 1; i < map->count; i++) {
        struct bootinfo_memory_range *last = &map->ranges[kept];
        const struct bootinfo_memory_range *next = &map->ranges[i];

        if (range_end(last) == next->base_paddr && last->type == next->type)
            last->bytes += next->bytes;
        else
            map->ranges[++kept] = *next;
    }
    if (map->count)
        map->count = kept + 1;
}

/* How much a type forbids; the larger one wins where ranges overlap. */
static int severity(uint32_t type)
{
    switch (type) {
    case BOOTINFO_MEMORY_USABLE:
        return 0;
    case BOOTINFO_MEMORY_ACPI_RECLAIMABLE:
        return 1;
    case BOOTINFO_MEMORY_ACPI_NVS:
        return 2;
    case BOOTINFO_MEMORY_BAD:
        return 4;
    default:
        return 3;
    }
}

static bool is_known(uint32_t type)
{
    return type == BOOTINFO_MEMORY_RESERVED || severity(type) != severity(BOOTINFO_MEMORY_RESERVED);
}

void memory_map_add(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t type)
{
    uint64_t end = bytes > UINT64_MAX - paddr ? UINT64_MAX : paddr + bytes;

    if (!is_known(type))
        type = BOOTINFO_MEMORY_RESERVED;
    split(map, paddr);
    split(map, end);
    for (size_t i = find(map, paddr); paddr < end; i++) {
        struct bootinfo_memory_range *range = &map->ranges[i];

        if (i < map->count && range->base_paddr == paddr) {
            if (severity(type) > severity(range->type))
                range->type = type;
        } else {
            uint64_t gap_end = i < map->count && range->base_paddr < end ? range->base_paddr : end;

            insert(map, i, paddr, gap_end, type);
        }
        paddr = range_end(&map->ranges[i]);
    }
    merge(map);
}

void memory_map_retype(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t from,
                       uint32_t to)
{
    uint64_t end = paddr + bytes;

    split(map, paddr);
    split(map, end);
    for (size_t i = find(map, paddr); i < map->count && map->ranges[i].base_paddr < end; i++) {
        if (map->ranges[i].type == from)
            map->ranges[i].type = to;
    }
    merge(map);
}

void memory_map_set(struct memory_map *map, uint64_t paddr, uint64_t bytes, uint32_t type)
{
    uint64_t start = paddr & ~(MEMORY_PAGE_BYTES - 1);
    uint64_t end = (paddr + bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);

    memory_map_add(map, start, end - start, BOOTINFO_MEMORY_RESERVED);
    memory_map_retype(map, start, end - start, BOOTINFO_MEMORY_RESERVED, type);
}

uint64_t memory_map_total(const struct memory_map *map, uint32_t type)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < map->count; i++)
        bytes += map->ranges[i].type == type ? map->ranges[i].bytes : 0;
    return bytes;
}

void memory_map_align(struct memory_map *map)
{
    memory_map_retype(map, 0, MEMORY_PAGE_BYTES, BOOTINFO_MEMORY_USABLE, MEMORY_LEASED);
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range range = map->ranges[i];
        uint64_t base = range.base_paddr, end = range_end(&range);
        uint64_t head = (0 - base) % MEMORY_PAGE_BYTES;
        uint64_t tail = end % MEMORY_PAGE_BYTES;

        if ((range.type != BOOTINFO_MEMORY_USABLE && range.type != MEMORY_LEASED) ||
            head + tail == 0)
            continue;
        if (head + tail >= range.bytes) {
            memory_map_retype(map, base, range.bytes, range.type, BOOTINFO_MEMORY_RESERVED);
        } else {
            memory_map_retype(map, base, head, range.type, BOOTINFO_MEMORY_RESERVED);
            memory_map_retype(map, end - tail, tail, range.type, BOOTINFO_MEMORY_RESERVED);
        }
        i = find(map, end - 1); /* the ranges have moved */
    }
}

/* Is all of [paddr, paddr + bytes) usable, shadowed or `other`? */
static bool is_usable_or(const struct memory_map *map, uint64_t paddr, uint64_t bytes,
                         uint32_t other)
{
    uint64_t end = paddr + bytes;

    for (size_t i = find(map, paddr); i < map->count && paddr < end; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];

        if (range->base_paddr > paddr)
            return false;
        if (range->type != BOOTINFO_MEMORY_USABLE && range->type != MEMORY_SHADOWED &&
            range->type != other)
            return false;
        paddr = range_end(range);
    }
    return paddr >= end;
}

bool memory_map_is_free(const struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    return is_usable_or(map, paddr, bytes, BOOTINFO_MEMORY_USABLE);
}

bool memory_map_will_be_free(const struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    return is_usable_or(map, paddr, bytes, MEMORY_LEASED);
}

static bool is_ram(uint32_t type)
{
    return type != BOOTINFO_MEMORY_RESERVED && type != BOOTINFO_MEMORY_BAD &&
           type != BOOTINFO_MEMORY_FRAMEBUFFER;
}

uint64_t memory_map_next(const struct memory_map *map, uint64_t *paddr,
                         bool (*is_wanted)(uint32_t type))
{
    size_t i = find(map, *paddr);

    while (i < map->count && !is_wanted(map->ranges[i].type))
        i++;
    if (i == map->count)
        return 0;
    uint64_t base = map->ranges[i].base_paddr, end = range_end(&map->ranges[i]);
    while (++i < map->count && map->ranges[i].base_paddr == end && is_wanted(map->ranges[i].type))
        end = range_end(&map->ranges[i]);
    if (base < *paddr)
        base = *paddr;
    *paddr = base & ~(MEMORY_PAGE_BYTES - 1);
    return ((end + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1)) - *paddr;
}

uint64_t memory_map_next_ram(const struct memory_map *map, uint64_t *paddr)
{
    return memory_map_next(map, paddr, is_ram);
}

uint64_t memory_map_take(struct memory_map *map, uint64_t bytes, uint64_t align, uint64_t offset,
                         uint32_t type)
{
    for (size_t i = map->count; i-- > 0;) {
        const struct bootinfo_memory_range *range = &map->ranges[i];
        uint64_t low = range->base_paddr > LOWEST_TAKEN ? range->base_paddr : LOWEST_TAKEN;
        uint64_t high = range_end(range) < TAKEN_END ? range_end(range) : TAKEN_END;

        if (range->type != BOOTINFO_MEMORY_USABLE || high < low || high - low < bytes)
            continue;
        uint64_t paddr = high - bytes;
        uint64_t above = (paddr - offset) & (align - 1); /* how far it is above its alignment */

        if (paddr - low < above)
            continue;
        paddr -= above;
        memory_map_retype(map, paddr, bytes, BOOTINFO_MEMORY_USABLE, type);
        return paddr;
    }
    return 0;
}

uint64_t memory_map_take_pages(struct memory_map *map, uint64_t bytes)
{
    uint64_t rounded = (bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1), paddr = 0;

    if (rounded >= bytes) /* else it has wrapped */
        paddr = memory_map_take(map, rounded, MEMORY_PAGE_BYTES, 0, BOOTINFO_MEMORY_LOADER);
    if (!paddr)
        fail(ERROR_NO_MEMORY, {"bytes", bytes});
    memset((void *)(uintptr_t)paddr, 0, rounded);
    return paddr;
}

uint64_t memory_map_take_lowest(struct memory_map *map, uint64_t bytes, uint64_t start,
                                uint64_t end, uint32_t from, uint32_t to)
{
    const uint64_t rounded = (bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);

    for (size_t i = find(map, start); i < map->count && map->ranges[i].base_paddr < end; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];
        uint64_t low = range->base_paddr > start ? range->base_paddr : start;
        uint64_t high = range_end(range) < end ? range_end(range) : end;

        if (range->type != from || rounded < bytes || high < low || high - low < rounded)
            continue;
        memory_map_retype(map, low, rounded, from, to);
        return low;
    }
    return 0;
}

void memory_map_settle(struct memory_map *map)
{
    static const uint32_t types[] = {MEMORY_SHADOWED, MEMORY_LEASED, MEMORY_STAGED};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        memory_map_retype(map, 0, UINT64_MAX, types[i], BOOTINFO_MEMORY_USABLE);
    memory_map_retype(map, 0, MEMORY_PAGE_BYTES, BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_RESERVED);
}

void memory_map_release(struct memory_map *map)
{
    static const uint32_t types[] = {
        MEMORY_SHADOWED,        MEMORY_LEASED,          MEMORY_STAGED,
        BOOTINFO_MEMORY_KERNEL, BOOTINFO_MEMORY_MODULE, BOOTINFO_MEMORY_LOADER,
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        memory_map_retype(map, 0, UINT64_MAX, types[i], BOOTINFO_MEMORY_USABLE);
}
