/*
 * The kernel's address space, over its page tables: what is mapped first stays, so the exceptions
 * come before the rules. Placement has decided where everything lies; next the kernel is told.
 */
#include "address_space.h"

#include "loader.h"
#include "log.h"
#include "request.h"

#define IDENTITY_END 0x100000000ull
/* How much RAM can be mapped: all addresses that 4 levels of page tables leave for it, and all that
   5 levels can hold. */
#define RAM_END (1ull << 46)
#define RAM_END_5 (1ull << 52)
/* Canonical addresses repeat this bit in all bits above it. */
#define ADDRESS_TOP_BIT 47
#define ADDRESS_TOP_BIT_5 56

/* Before placement. */

static uint32_t choose_levels(const struct loader *loader)
{
    struct plan_request *request = request_find(&loader->plan, BOOTINFO_REQUEST_LEVELS);

    if (!request || request->words[0] != 5)
        return 4;
    if (loader->cpu.has_5_levels)
        return 5;
    if (!request_give_up(request))
        fail(ERROR_NO_FIVE_LEVELS, {"levels", 5});
    return 4;
}

static bool is_canonical(uint64_t vaddr, uint64_t bytes, unsigned int top_bit)
{
    uint64_t first = vaddr >> top_bit, last = (vaddr + bytes - 1) >> top_bit;

    return first == last && (first == 0 || first == UINT64_MAX >> top_bit);
}

/* A map that is optional is given up where it would need another CPU. */
static void check_maps(const struct loader *loader)
{
    const uint64_t paddr_end = 1ull << loader->cpu.address_bits;
    unsigned int top_bit = loader->space.levels == 5 ? ADDRESS_TOP_BIT_5 : ADDRESS_TOP_BIT;
    struct plan_request *map = NULL;

    while ((map = request_next(&loader->plan, map, BOOTINFO_REQUEST_MAP))) {
        uint64_t vaddr = map->words[0], paddr = map->words[1], bytes = map->words[2];

        if (paddr + bytes > paddr_end && !request_give_up(map))
            fail(ERROR_ADDRESS_WIDTH, {"at", paddr}, {"bytes", bytes},
                 {"width", loader->cpu.address_bits});
        if (!is_canonical(vaddr, bytes, top_bit) && !request_give_up(map))
            fail(ERROR_NO_FIVE_LEVELS, {"address", vaddr}, {"levels", loader->space.levels});
    }
}

void address_space_choose(struct loader *loader)
{
    struct address_space *space = &loader->space;
    uint64_t cpu_end = 1ull << loader->cpu.address_bits;

    space->levels = choose_levels(loader);
    space->physical_memory =
        space->levels == 5 ? BOOTINFO_PHYSICAL_MEMORY_5 : BOOTINFO_PHYSICAL_MEMORY;
    space->ram_end = space->levels == 5 ? RAM_END_5 : RAM_END;
    if (space->ram_end > cpu_end)
        space->ram_end = cpu_end;
    check_maps(loader);
}

void address_space_start(struct loader *loader)
{
    paging_init(&loader->space.paging, &loader->map, &loader->cpu, loader->space.levels);
}

/* The kernel's own pages, mapping by mapping of the plan. */

struct kernel_pages {
    const struct plan_mapping *mapping; /* NULL to begin with */
    const struct plan_region *region;
    uint64_t paddr;
};

/* Move on to the next mapping. False: there is none. */
static bool next_pages(const struct plan *plan, struct kernel_pages *pages)
{
    const struct plan_record *record = pages->mapping ? &pages->mapping->record : NULL;

    while ((record = plan_next(plan, record)) && record->type != PLAN_MAPPING) {
        if (record->type == PLAN_REGION)
            pages->region = (const void *)record;
    }
    if (!record)
        return false;
    pages->mapping = (const void *)record;
    pages->paddr = pages->region->paddr + (pages->mapping->vaddr - pages->region->vaddr);
    return true;
}

void address_space_map_kernel(struct loader *loader)
{
    struct kernel_pages pages = {0};

    while (next_pages(&loader->plan, &pages)) {
        uint32_t rights = pages.mapping->rights;

        paging_map(&loader->space.paging, pages.mapping->vaddr, pages.paddr, pages.mapping->bytes,
                   (rights & PLAN_WRITABLE ? PAGING_WRITABLE : 0) |
                       (rights & PLAN_EXECUTABLE ? PAGING_EXECUTABLE : 0));
    }
}

/* Map those of [paddr, paddr + bytes) that the kernel has read-only: so they are wherever else they
   appear. The rest is left for a paging_map() of all of it. */
static void map_read_only(struct loader *loader, uint64_t vaddr, uint64_t paddr, uint64_t bytes,
                          unsigned int flags)
{
    struct kernel_pages pages = {0};

    while (next_pages(&loader->plan, &pages)) {
        uint64_t start = pages.paddr, end = start + pages.mapping->bytes;

        if (start < paddr)
            start = paddr;
        if (end > paddr + bytes)
            end = paddr + bytes;
        if (start < end && !(pages.mapping->rights & PLAN_WRITABLE))
            paging_map(&loader->space.paging, vaddr + (start - paddr), start, end - start,
                       flags & ~PAGING_WRITABLE);
    }
}

static void map_alias(struct loader *loader, uint64_t vaddr, uint64_t paddr, uint64_t bytes,
                      unsigned int flags)
{
    map_read_only(loader, vaddr, paddr, bytes, flags);
    paging_map(&loader->space.paging, vaddr, paddr, bytes, flags);
}

/* Everything else. */

uint64_t address_space_map_stack(struct loader *loader, uint64_t index)
{
    uint64_t bytes = loader->protocol->stack_bytes;
    uint64_t top = BOOTINFO_STACK_TOP - index * (bytes + MEMORY_PAGE_BYTES);
    uint64_t paddr = memory_map_take_pages(&loader->map, bytes);

    if (loader->space.has_plain_stacks)
        return address_space_vaddr(&loader->space, paddr + bytes);
    paging_map(&loader->space.paging, top - bytes, paddr, bytes, PAGING_WRITABLE);
    return top;
}

static unsigned int request_flags(const struct plan_request *map)
{
    static const struct {
        uint32_t map;
        unsigned int paging;
    } flags[] = {
        {BOOTINFO_MAP_WRITABLE, PAGING_WRITABLE},
        {BOOTINFO_MAP_EXECUTABLE, PAGING_EXECUTABLE},
        {BOOTINFO_MAP_UNCACHED, PAGING_UNCACHED},
        {BOOTINFO_MAP_WRITE_COMBINING, PAGING_WRITE_COMBINING},
    };
    unsigned int all = PAGING_NO_1GIB;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        all |= map->words[3] & flags[i].map ? flags[i].paging : 0;
    return all;
}

static void map_requests(struct loader *loader)
{
    const struct plan_request *map = NULL;

    while ((map = request_next(&loader->plan, map, BOOTINFO_REQUEST_MAP)))
        map_alias(loader, map->words[0], map->words[1], map->words[2], request_flags(map));
}

/* In whole pages. */
static void map_framebuffer(struct loader *loader, bool has_identity)
{
    const struct bootinfo_framebuffer *framebuffer = &loader->framebuffer;
    struct address_space *space = &loader->space;
    uint64_t paddr = framebuffer->paddr & ~(MEMORY_PAGE_BYTES - 1);
    uint64_t bytes = framebuffer->paddr + framebuffer->bytes - paddr;
    const unsigned int flags = PAGING_WRITABLE | PAGING_WRITE_COMBINING;

    if (framebuffer->bytes == 0)
        return;
    bytes = (bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);
    paging_map(&space->paging, address_space_vaddr(space, paddr), paddr, bytes, flags);
    if (has_identity && paddr < IDENTITY_END)
        paging_map(&space->paging, paddr, paddr,
                   bytes < IDENTITY_END - paddr ? bytes : IDENTITY_END - paddr, flags);
}

static void map_all_memory(struct loader *loader)
{
    struct address_space *space = &loader->space;
    uint64_t paddr = 0, bytes;

    map_read_only(loader, space->physical_memory, 0, space->ram_end, 0);
    /* Page 0 is reserved for the kernel's sake, but it is RAM. */
    paging_map(&space->paging, space->physical_memory, 0, MEMORY_PAGE_BYTES, PAGING_WRITABLE);
    while ((bytes = memory_map_next_ram(&loader->map, &paddr)) && paddr < space->ram_end) {
        if (bytes > space->ram_end - paddr)
            bytes = space->ram_end - paddr;
        paging_map(&space->paging, address_space_vaddr(space, paddr), paddr, bytes,
                   PAGING_WRITABLE);
        paddr += bytes;
    }
}

static void map_recursive(struct loader *loader)
{
    struct plan_request *request = request_find(&loader->plan, BOOTINFO_REQUEST_RECURSIVE);

    if (!request)
        return;
    if (paging_map_recursive(&loader->space.paging, (unsigned int)request->words[0]))
        loader->space.recursive_entry = (uint32_t)request->words[0];
    else if (!request_give_up(request))
        fail(ERROR_PLAN_UNKNOWN, {"recursive entry", request->words[0]}); /* the tool says why */
}

void address_space_map(struct loader *loader)
{
    const struct plan_request *identity = request_find(&loader->plan, BOOTINFO_REQUEST_IDENTITY);
    bool has_identity = !identity || identity->words[0] == 1;
    uint64_t page_paddr = loader->handover.page_paddr;

    address_space_map_kernel(loader);
    address_space_map_stack(loader, 0);
    paging_map(&loader->space.paging, page_paddr, page_paddr, MEMORY_PAGE_BYTES, PAGING_EXECUTABLE);
    map_requests(loader);
    map_framebuffer(loader, has_identity);
    if (has_identity)
        map_alias(loader, MEMORY_PAGE_BYTES, MEMORY_PAGE_BYTES, IDENTITY_END - MEMORY_PAGE_BYTES,
                  PAGING_WRITABLE | PAGING_NO_1GIB);
    map_all_memory(loader);
    map_recursive(loader);
}
