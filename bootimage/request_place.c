/*
 * Second step, continued: the requests that have addresses, against all other addresses.
 *
 * The kernel's segments are where they will be mapped, sound and sorted. bootinfo.h says what else
 * is mapped where; nothing here may meet any of it. plan.c writes down what is left.
 */
#include "request.h"

#include "placement.h"
#include "request_rules.h"

#include "bootimage/bootinfo.h"

#include <inttypes.h>

#define FOUR_GIB 0x100000000ull
/* RAM that is mapped at bootinfo.physical_memory, at most. */
#define PHYSICAL_MEMORY_BYTES_4 (64ull << 40)
#define PHYSICAL_MEMORY_BYTES_5 REQUEST_PHYSICAL_END
/* The entry of the root table, with 4 levels, that is there for the stacks of all CPUs. */
#define STACKS_START (BOOTINFO_STACK_TOP - (512ull << 30))

/* Virtual addresses; end is behind the last one. */
struct range {
    uint64_t start;
    uint64_t end;
};

static bool meet(struct range a, struct range b)
{
    return a.start < b.end && b.start < a.end;
}

static struct range segment_pages(const struct kernel_segment *segment)
{
    return (struct range){placement_page_start(segment), placement_page_end(segment)};
}

static struct range map_range(const struct kernel_request *request)
{
    return (struct range){request->words[0], request->words[0] + request->words[2]};
}

/* The first segment on one of the pages, or NULL. */
static const struct kernel_segment *segment_on(const struct kernel *kernel, struct range range)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        if (meet(segment_pages(&kernel->segments[i]), range))
            return &kernel->segments[i];
    }
    return NULL;
}

/* The boot processor's stack and the page below it, which stays unmapped. */
static struct range stack_range(uint64_t stack_bytes)
{
    return (struct range){BOOTINFO_STACK_TOP - stack_bytes - PLACEMENT_PAGE_BYTES,
                          BOOTINFO_STACK_TOP};
}

bool request_canonical(uint64_t start, uint64_t end, unsigned levels)
{
    uint64_t half = 1ull << (levels == 5 ? 56 : 47);

    return start < end && (end <= half || start >= -half);
}

/* Levels that the page tables have at least. Addresses that are right for 4 are right for 5, too; a
   recursive entry that is right for 4 is so for 5, where the first and the last entry of the root
   table lead to all of these addresses. */
static unsigned least_levels(const struct kernel *kernel)
{
    for (size_t i = 0; i < kernel->request_count; i++) {
        if (kernel->requests[i].type == BOOTINFO_REQUEST_LEVELS)
            return (unsigned)kernel->requests[i].words[0];
    }
    return 4;
}

#define MAP_FORMAT "%s: BOOTINFO_REQUEST_MAP [0x%" PRIx64 ", 0x%" PRIx64 ") "
#define MAP_ARGUMENTS(kernel, request)                                                             \
    (kernel)->path, (request)->words[0], (request)->words[0] + (request)->words[2]

static bool check_map_flags(const struct kernel *kernel, const struct kernel_request *request,
                            struct error *error)
{
    uint64_t known = BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_EXECUTABLE | BOOTINFO_MAP_UNCACHED |
                     BOOTINFO_MAP_WRITE_COMBINING;
    uint64_t caching = BOOTINFO_MAP_UNCACHED | BOOTINFO_MAP_WRITE_COMBINING;

    if (request->words[3] & ~known)
        return error_set(error,
                         MAP_FORMAT "has the flags 0x%" PRIx64
                                    ", but contract %u.%u knows 0x%" PRIx64
                                    "; leave the others out [map-flags]",
                         MAP_ARGUMENTS(kernel, request), request->words[3], BOOTINFO_VERSION >> 16,
                         BOOTINFO_VERSION & 0xffff, known);
    if ((request->words[3] & caching) == caching)
        return error_set(error,
                         MAP_FORMAT "is to be uncached and write-combining; leave out "
                                    "BOOTINFO_MAP_UNCACHED or BOOTINFO_MAP_WRITE_COMBINING "
                                    "[map-caching]",
                         MAP_ARGUMENTS(kernel, request));
    return true;
}

bool request_check_map(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error)
{
    uint64_t vaddr = request->words[0], paddr = request->words[1], bytes = request->words[2];

    if (bytes == 0 || (vaddr | paddr | bytes) % PLACEMENT_PAGE_BYTES != 0)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_MAP of 0x%" PRIx64 " bytes at 0x%" PRIx64
                         ", physical 0x%" PRIx64 ", is not made of whole pages; make all three "
                         "multiples of 0x1000, and the first not 0 [map-unaligned]",
                         kernel->path, bytes, vaddr, paddr);
    if (paddr >= REQUEST_PHYSICAL_END || bytes > REQUEST_PHYSICAL_END - paddr)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_MAP of 0x%" PRIx64 " bytes at 0x%" PRIx64
                         ", physical 0x%" PRIx64 ", goes past the last physical address of x86-64, "
                         "0x%llx; correct it [map-physical]",
                         kernel->path, bytes, vaddr, paddr, REQUEST_PHYSICAL_END - 1);
    if (vaddr == 0 || bytes > -vaddr - PLACEMENT_PAGE_BYTES)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_MAP of 0x%" PRIx64 " bytes at 0x%" PRIx64
                         " touches the first or the last page of the address space; ask for other "
                         "addresses [map-address]",
                         kernel->path, bytes, vaddr);
    return check_map_flags(kernel, request, error);
}

/* What the loader maps, and the kernel can do nothing about. */
struct fixed_map {
    bool there;
    struct range range;
    const char *what; /* ends a message: what is met, and what to do */
};

static bool check_fixed_maps(const struct kernel *kernel, const struct kernel_request *request,
                             struct error *error)
{
    bool five = least_levels(kernel) == 5;
    uint64_t physical = five ? BOOTINFO_PHYSICAL_MEMORY_5 : BOOTINFO_PHYSICAL_MEMORY;
    uint64_t physical_bytes = five ? PHYSICAL_MEMORY_BYTES_5 : PHYSICAL_MEMORY_BYTES_4;
    const struct fixed_map maps[] = {
        {request_word(kernel, BOOTINFO_REQUEST_IDENTITY, 1) == 1,
         {0, FOUR_GIB},
         "the one-to-one map of the first 4 GiB; ask for addresses above them, or for "
         "BOOTINFO_REQUEST_IDENTITY 0"},
        {true,
         {physical, physical + physical_bytes},
         "the map of all RAM; ask for other addresses"},
        {true, stack_range(request_stack_bytes(kernel)),
         "the stack and the unmapped page below it; ask for other addresses"},
        {request_word(kernel, BOOTINFO_REQUEST_CPUS, 0) == 1,
         {STACKS_START, BOOTINFO_STACK_TOP},
         "the stacks of the CPUs; ask for other addresses"},
        {request_word(kernel, BOOTINFO_REQUEST_RANDOM_BASE, 0) == 1,
         {REQUEST_RANDOM_START, REQUEST_RANDOM_END},
         "the addresses at which the kernel may be mapped at random; ask for others"},
    };

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        if (maps[i].there && meet(maps[i].range, map_range(request)))
            return error_set(error,
                             MAP_FORMAT "meets [0x%" PRIx64 ", 0x%" PRIx64 "), %s [map-overlap]",
                             MAP_ARGUMENTS(kernel, request), maps[i].range.start, maps[i].range.end,
                             maps[i].what);
    }
    return true;
}

static bool check_other_maps(const struct kernel *kernel, const struct kernel_request *request,
                             struct error *error)
{
    for (const struct kernel_request *other = kernel->requests; other < request; other++) {
        if (request_is(other, BOOTINFO_REQUEST_MAP) && other->met &&
            meet(map_range(other), map_range(request)))
            return error_set(error,
                             MAP_FORMAT "meets another, [0x%" PRIx64 ", 0x%" PRIx64
                                        "); give each addresses of its own [map-overlap]",
                             MAP_ARGUMENTS(kernel, request), map_range(other).start,
                             map_range(other).end);
    }
    return true;
}

bool request_place_map(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error)
{
    struct range range = map_range(request);
    unsigned levels = least_levels(kernel);
    const struct kernel_segment *segment = segment_on(kernel, range);

    if (!request_canonical(range.start, range.end, levels))
        return error_set(error,
                         MAP_FORMAT "has addresses that are not canonical with %u levels of page "
                                    "tables; ask for others%s [map-address]",
                         MAP_ARGUMENTS(kernel, request), levels,
                         levels == 4 ? ", or for BOOTINFO_REQUEST_LEVELS 5" : "");
    if (segment)
        return error_set(error,
                         MAP_FORMAT "meets segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                                    "); ask for other addresses [map-overlap]",
                         MAP_ARGUMENTS(kernel, request), segment->index, segment->vaddr,
                         segment->vaddr + segment->memory_bytes);
    return check_fixed_maps(kernel, request, error) && check_other_maps(kernel, request, error);
}

/* Whether an entry of the root table, with so many levels, leads to the range. */
static bool entry_leads_to(uint64_t entry, struct range range, unsigned levels)
{
    unsigned shift = levels == 5 ? 48 : 39;

    return entry >= (range.start >> shift & 511) && entry <= ((range.end - 1) >> shift & 511);
}

bool request_place_recursive(const struct kernel *kernel, const struct kernel_request *request,
                             struct error *error)
{
    uint64_t entry = request->words[0];
    unsigned levels = least_levels(kernel);

    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (entry_leads_to(entry, segment_pages(segment), levels))
            return error_set(error,
                             "%s: BOOTINFO_REQUEST_RECURSIVE asks for entry %" PRIu64 " of the "
                             "root table, which leads to segment %" PRIu32 " [0x%" PRIx64
                             ", 0x%" PRIx64 "); ask for another entry [recursive-overlap]",
                             kernel->path, entry, segment->index, segment->vaddr,
                             segment->vaddr + segment->memory_bytes);
    }
    for (size_t i = 0; i < kernel->request_count; i++) {
        const struct kernel_request *map = &kernel->requests[i];

        if (request_is(map, BOOTINFO_REQUEST_MAP) && map->met &&
            entry_leads_to(entry, map_range(map), levels))
            return error_set(error,
                             "%s: BOOTINFO_REQUEST_RECURSIVE asks for entry %" PRIu64 " of the "
                             "root table, which leads to BOOTINFO_REQUEST_MAP [0x%" PRIx64
                             ", 0x%" PRIx64 "); ask for another entry [recursive-overlap]",
                             kernel->path, entry, map_range(map).start, map_range(map).end);
    }
    return true;
}

bool request_place_cpus(const struct kernel *kernel, const struct kernel_request *request,
                        struct error *error)
{
    struct range stacks = {STACKS_START, BOOTINFO_STACK_TOP};
    const struct kernel_segment *segment = request->words[0] ? segment_on(kernel, stacks) : NULL;

    if (!segment)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_CPUS needs [0x%" PRIx64 ", 0x%" PRIx64 ") for the CPUs' "
                     "stacks, but segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                     ") is there; link the kernel elsewhere [stack-overlap]",
                     kernel->path, stacks.start, stacks.end, segment->index, segment->vaddr,
                     segment->vaddr + segment->memory_bytes);
}

/* The stack that there will be: of a request, or the default. */
static bool check_stack(const struct kernel *kernel, uint64_t stack_bytes, struct error *error)
{
    struct range stack = stack_range(stack_bytes);
    const struct kernel_segment *segment = segment_on(kernel, stack);

    if (!segment)
        return true;
    return error_set(error,
                     "%s: segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                     ") meets the stack that the loader maps at [0x%" PRIx64 ", 0x%" PRIx64
                     "); link the kernel elsewhere [segment-stack]",
                     kernel->path, segment->index, segment->vaddr,
                     segment->vaddr + segment->memory_bytes, stack.start, stack.end);
}

bool request_place_stack(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error)
{
    (void)request;
    return check_stack(kernel, request_stack_bytes(kernel), error);
}

/* One warning for all maps of a kind: a kernel may have hundreds. */
static void warn_rights(const struct kernel *kernel, struct error *error)
{
    uint64_t both = BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_EXECUTABLE;
    const struct kernel_request *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < kernel->request_count; i++) {
        const struct kernel_request *request = &kernel->requests[i];

        if (request_is(request, BOOTINFO_REQUEST_MAP) && request->met &&
            (request->words[3] & both) == both && count++ == 0)
            first = request;
    }
    if (first)
        error_warn(error,
                   MAP_FORMAT "%sis writable and executable; leave out one of the two rights "
                              "[map-rights]",
                   MAP_ARGUMENTS(kernel, first), count > 1 ? "and more " : "");
}

/* Those that others have to keep clear of come first; the recursive entry meets the maps. */
static const uint32_t order[] = {
    BOOTINFO_REQUEST_STACK,
    BOOTINFO_REQUEST_CPUS,
    BOOTINFO_REQUEST_MAP,
    BOOTINFO_REQUEST_RECURSIVE,
};

bool request_place(struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        for (size_t j = 0; j < kernel->request_count; j++) {
            struct kernel_request *request = &kernel->requests[j];

            if (request_is(request, order[i]) && request->met &&
                !request_settle(kernel, request, request_rule(request)->place, error))
                return false;
        }
    }
    warn_rights(kernel, error);
    /* Again, as an optional stack that met a segment has left the default one. */
    return check_stack(kernel, request_stack_bytes(kernel), error);
}
