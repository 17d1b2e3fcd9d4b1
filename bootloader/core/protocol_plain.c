/*
 * The plain protocol: a 64-bit ELF, entered in long mode at e_entry with a struct bootinfo in RDI.
 * prepare builds what bootinfo.h promises; enter makes the jump.
 */
#include "cpu.h"
#include "paging.h"
#include "protocol.h"

#include <string.h>

#define IDENTITY_END 0x100000000ull
/* All addresses that 4 levels of page tables leave for the map of all memory: 64 TiB. */
#define PHYSICAL_MEMORY_BYTES 0x400000000000ull

static uint64_t physical_memory(uint64_t paddr)
{
    return BOOTINFO_PHYSICAL_MEMORY + paddr;
}

/* The address, as the kernel sees it, of a copy of these bytes. */
static uint64_t copy(struct loader *loader, const void *data, uint64_t bytes)
{
    uint64_t paddr = memory_map_take_pages(&loader->map, bytes);

    memcpy((void *)(uintptr_t)paddr, data, bytes);
    return physical_memory(paddr);
}

static unsigned int paging_flags(const struct plan_mapping *mapping)
{
    return (mapping->rights & PLAN_WRITABLE ? PAGING_WRITABLE : 0) |
           (mapping->rights & PLAN_EXECUTABLE ? PAGING_EXECUTABLE : 0);
}

/* Call `map` for each mapping of the plan and its physical address. */
static void for_each_mapping(const struct plan *plan, struct paging *paging,
                             void (*map)(struct paging *paging, const struct plan_mapping *mapping,
                                         uint64_t paddr))
{
    const struct plan_region *region = NULL;
    const struct plan_record *record = plan_next(plan, NULL);

    for (; record; record = plan_next(plan, record)) {
        const struct plan_mapping *mapping = (const void *)record;

        if (record->type == PLAN_REGION)
            region = (const void *)record;
        else if (record->type == PLAN_MAPPING)
            map(paging, mapping, region->paddr + (mapping->vaddr - region->vaddr));
    }
}

static void map_kernel(struct paging *paging, const struct plan_mapping *mapping, uint64_t paddr)
{
    paging_map(paging, mapping->vaddr, paddr, mapping->bytes, paging_flags(mapping));
}

/* A page that the kernel maps read-only is read-only wherever else it appears. */
static void map_aliases(struct paging *paging, const struct plan_mapping *mapping, uint64_t paddr)
{
    if (mapping->rights & PLAN_WRITABLE)
        return;
    paging_map(paging, paddr, paddr, mapping->bytes, 0);
    paging_map(paging, physical_memory(paddr), paddr, mapping->bytes, 0);
}

static void map_all_memory(struct paging *paging, const struct memory_map *map)
{
    uint64_t paddr = 0, bytes;

    /* Page 0 is reserved for the kernel's sake, but it is RAM. */
    paging_map(paging, physical_memory(0), 0, MEMORY_PAGE_BYTES, PAGING_WRITABLE);
    while ((bytes = memory_map_next_ram(map, &paddr)) && paddr < PHYSICAL_MEMORY_BYTES) {
        if (bytes > PHYSICAL_MEMORY_BYTES - paddr)
            bytes = PHYSICAL_MEMORY_BYTES - paddr;
        paging_map(paging, physical_memory(paddr), paddr, bytes, PAGING_WRITABLE);
        paddr += bytes;
    }
}

/* What is mapped first stays: the kernel, the hand-over page, read-only aliases, and then the rest.
 */
static void map_everything(struct loader *loader, struct paging *paging, uint64_t stack_paddr)
{
    uint64_t stack_bytes = loader->protocol->stack_bytes;

    for_each_mapping(&loader->plan, paging, map_kernel);
    paging_map(paging, BOOTINFO_STACK_TOP - stack_bytes, stack_paddr, stack_bytes, PAGING_WRITABLE);
    paging_map(paging, loader->handover.page_paddr, loader->handover.page_paddr, MEMORY_PAGE_BYTES,
               PAGING_EXECUTABLE);
    for_each_mapping(&loader->plan, paging, map_aliases);
    paging_map(paging, MEMORY_PAGE_BYTES, MEMORY_PAGE_BYTES, IDENTITY_END - MEMORY_PAGE_BYTES,
               PAGING_WRITABLE | PAGING_NO_1GIB);
    map_all_memory(paging, &loader->map);
}

static void describe_kernel(struct bootinfo *info, const struct plan *plan)
{
    const struct plan_record *record = NULL;

    info->kernel_vaddr = UINT64_MAX;
    while ((record = plan_find(plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;

        if (region->vaddr < info->kernel_vaddr) {
            info->kernel_vaddr = region->vaddr;
            info->kernel_paddr = region->paddr;
        }
    }
}

/* All of bootinfo but the memory map, which is not final yet. */
static void describe(struct loader *loader)
{
    static const char name[] = "bootimage", version[] = BOOTIMAGE_VERSION;
    const struct plan_command_line *line =
        (const void *)plan_find(&loader->plan, NULL, PLAN_COMMAND_LINE);
    const char *text = line ? line->text : "";
    uint64_t text_bytes = line ? line->text_bytes : 1;
    struct bootinfo *info = loader->info;

    *info = (struct bootinfo){
        .magic = BOOTINFO_MAGIC,
        .version = BOOTINFO_VERSION,
        .size_bytes = sizeof(*info),
        .loader_name = copy(loader, name, sizeof(name)),
        .loader_version = copy(loader, version, sizeof(version)),
        .command_line = copy(loader, text, text_bytes),
        .command_line_bytes = text_bytes - 1,
        .physical_memory = BOOTINFO_PHYSICAL_MEMORY,
        .stack_top = BOOTINFO_STACK_TOP,
        .stack_bytes = loader->protocol->stack_bytes,
        .boot_drive = loader->boot.boot_drive,
        .disk_signature = loader->boot.disk_signature,
        .tsc_stage1 = loader->boot.tsc_stage1,
        .tsc_stage2 = loader->boot.tsc_stage2,
        .tsc_loader = loader->tsc_loader,
        .tsc_load = loader->tsc_load,
        .tsc_map = loader->tsc_map,
    };
    describe_kernel(info, &loader->plan);
}

/* The map as the kernel gets it; nothing may be taken from it any more once it is copied. Taking
   its memory and giving the plan back split at most three ranges. */
static void describe_memory(struct loader *loader)
{
    struct memory_map *map = &loader->map;
    uint64_t bytes = (map->count + 3) * sizeof(*map->ranges);
    uint64_t paddr = memory_map_take_pages(map, bytes);

    plan_free(&loader->plan, map);
    memory_map_retype(map, 0, UINT64_MAX, MEMORY_SHADOWED, BOOTINFO_MEMORY_USABLE);
    memcpy((void *)(uintptr_t)paddr, map->ranges, map->count * sizeof(*map->ranges));
    loader->info->memory_map = physical_memory(paddr);
    loader->info->memory_map_count = map->count;
}

void protocol_plain_prepare(struct loader *loader)
{
    struct memory_map *map = &loader->map;
    uint64_t stack_bytes = loader->protocol->stack_bytes;
    uint64_t stack_paddr = memory_map_take_pages(map, stack_bytes);
    uint64_t info_paddr = memory_map_take_pages(map, sizeof(struct bootinfo));
    uint64_t page_paddr = memory_map_take_pages(map, MEMORY_PAGE_BYTES);
    struct paging paging;

    paging_init(&paging, map);
    loader->info = (struct bootinfo *)(uintptr_t)info_paddr;
    loader->handover = (struct handover){
        .page_paddr = page_paddr,
        .tables_paddr = paging.root_paddr,
        .entry_vaddr = loader->protocol->entry_vaddr,
        .stack_top_vaddr = BOOTINFO_STACK_TOP,
        .argument = physical_memory(info_paddr),
        .has_nx = paging.has_nx,
    };
    handover_copy(page_paddr, physical_memory(page_paddr));
    map_everything(loader, &paging, stack_paddr);
    describe(loader);
    describe_memory(loader);
}

void protocol_plain_enter(struct loader *loader)
{
    firmware_leave();
    loader->info->tsc_enter = cpu_read_tsc();
    handover_enter(&loader->handover);
}
