/*
 * The kernel's address space, over its page tables: what is mapped first stays, so the exceptions
 * come before the rules. Placement has decided where everything lies; next the kernel is told.
 */
#include "address_space.h"

#include "loader.h"

#define IDENTITY_END 0x100000000ull
/* All addresses that 4 levels of page tables leave for the map of all memory: 64 TiB. */
#define PHYSICAL_MEMORY_BYTES 0x400000000000ull

void address_space_start(struct loader *loader)
{
    struct address_space *space = &loader->space;

    paging_init(&space->paging, &loader->map);
    space->physical_memory = BOOTINFO_PHYSICAL_MEMORY;
}

static unsigned int paging_flags(const struct plan_mapping *mapping)
{
    return (mapping->rights & PLAN_WRITABLE ? PAGING_WRITABLE : 0) |
           (mapping->rights & PLAN_EXECUTABLE ? PAGING_EXECUTABLE : 0);
}

/* Call `map` for each mapping of the plan and its physical address. */
static void for_each_mapping(struct loader *loader,
                             void (*map)(struct address_space *space,
                                         const struct plan_mapping *mapping, uint64_t paddr))
{
    const struct plan_region *region = NULL;
    const struct plan_record *record = plan_next(&loader->plan, NULL);

    for (; record; record = plan_next(&loader->plan, record)) {
        const struct plan_mapping *mapping = (const void *)record;

        if (record->type == PLAN_REGION)
            region = (const void *)record;
        else if (record->type == PLAN_MAPPING)
            map(&loader->space, mapping, region->paddr + (mapping->vaddr - region->vaddr));
    }
}

static void map_kernel(struct address_space *space, const struct plan_mapping *mapping,
                       uint64_t paddr)
{
    paging_map(&space->paging, mapping->vaddr, paddr, mapping->bytes, paging_flags(mapping));
}

/* A page that the kernel maps read-only is read-only wherever else it appears. */
static void map_aliases(struct address_space *space, const struct plan_mapping *mapping,
                        uint64_t paddr)
{
    if (mapping->rights & PLAN_WRITABLE)
        return;
    paging_map(&space->paging, paddr, paddr, mapping->bytes, 0);
    paging_map(&space->paging, address_space_vaddr(space, paddr), paddr, mapping->bytes, 0);
}

static void map_stack(struct loader *loader)
{
    uint64_t bytes = loader->protocol->stack_bytes;
    uint64_t paddr = memory_map_take_pages(&loader->map, bytes);

    paging_map(&loader->space.paging, BOOTINFO_STACK_TOP - bytes, paddr, bytes, PAGING_WRITABLE);
}

static void map_all_memory(struct address_space *space, const struct memory_map *map)
{
    uint64_t paddr = 0, bytes;

    /* Page 0 is reserved for the kernel's sake, but it is RAM. */
    paging_map(&space->paging, address_space_vaddr(space, 0), 0, MEMORY_PAGE_BYTES,
               PAGING_WRITABLE);
    while ((bytes = memory_map_next_ram(map, &paddr)) && paddr < PHYSICAL_MEMORY_BYTES) {
        if (bytes > PHYSICAL_MEMORY_BYTES - paddr)
            bytes = PHYSICAL_MEMORY_BYTES - paddr;
        paging_map(&space->paging, address_space_vaddr(space, paddr), paddr, bytes,
                   PAGING_WRITABLE);
        paddr += bytes;
    }
}

void address_space_map(struct loader *loader)
{
    struct paging *paging = &loader->space.paging;
    uint64_t page_paddr = loader->handover.page_paddr;

    for_each_mapping(loader, map_kernel);
    map_stack(loader);
    paging_map(paging, page_paddr, page_paddr, MEMORY_PAGE_BYTES, PAGING_EXECUTABLE);
    for_each_mapping(loader, map_aliases);
    paging_map(paging, MEMORY_PAGE_BYTES, MEMORY_PAGE_BYTES, IDENTITY_END - MEMORY_PAGE_BYTES,
               PAGING_WRITABLE | PAGING_NO_1GIB);
    map_all_memory(&loader->space, &loader->map);
}
