/*
 * The boot information: filled from the plan, from what the front end and the firmware tell, and
 * from what the steps before have decided. Next the kernel is entered.
 */
#include "bootinfo.h"

#include "loader.h"
#include "log.h"
#include "random.h"
#include "request.h"

#include <string.h>

/* How many ranges giving the plan back and leaving the firmware may add to the memory map. */
#define MAP_CHANGES 64

/* The address, as the kernel sees it, of a copy of these bytes. */
static uint64_t copy(struct loader *loader, const void *data, uint64_t bytes)
{
    uint64_t paddr = memory_map_take_pages(&loader->map, bytes);

    memcpy((void *)(uintptr_t)paddr, data, bytes);
    return address_space_vaddr(&loader->space, paddr);
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

static void describe_tls(struct bootinfo *info, const struct plan *plan)
{
    const struct plan_tls *tls = (const void *)plan_find(plan, NULL, PLAN_TLS);

    if (!tls)
        return;
    info->tls_template = tls->vaddr;
    info->tls_file_bytes = tls->file_bytes;
    info->tls_memory_bytes = tls->memory_bytes;
    info->tls_align = tls->align;
}

static void describe_command_line(struct loader *loader)
{
    const struct plan_command_line *line =
        (const void *)plan_find(&loader->plan, NULL, PLAN_COMMAND_LINE);
    const char *text = line ? line->text : "";
    uint64_t text_bytes = line ? line->text_bytes : 1;

    loader->info->command_line = copy(loader, text, text_bytes);
    loader->info->command_line_bytes = text_bytes - 1;
}

void bootinfo_start(struct loader *loader)
{
    static const char name[] = "bootimage", version[] = BOOTIMAGE_VERSION;
    uint64_t paddr = memory_map_take_pages(&loader->map, sizeof(struct bootinfo));
    struct bootinfo *info = (struct bootinfo *)(uintptr_t)paddr;

    *info = (struct bootinfo){
        .magic = BOOTINFO_MAGIC,
        .version = BOOTINFO_VERSION,
        .size_bytes = sizeof(*info),
        .loader_name = copy(loader, name, sizeof(name)),
        .loader_version = copy(loader, version, sizeof(version)),
        .physical_memory = loader->space.physical_memory,
        .stack_top = BOOTINFO_STACK_TOP,
        .stack_bytes = loader->protocol->stack_bytes,
        .boot_drive = loader->boot.boot_drive,
        .disk_signature = loader->boot.disk_signature,
        .tsc_stage1 = loader->boot.tsc_stage1,
        .tsc_stage2 = loader->boot.tsc_stage2,
        .tsc_loader = loader->tsc_loader,
        .tsc_load = loader->tsc_load,
        .tsc_map = loader->tsc_map,
        .flags = loader->apic.is_x2apic ? BOOTINFO_X2APIC : 0,
        .boot_cpu_apic_id = loader->apic.id,
        .page_levels = loader->space.levels,
        .module_count = loader->modules.count,
        .kernel_file = loader->modules.kernel_file,
        .kernel_file_bytes = loader->modules.kernel_file_bytes,
        .kernel_slide = loader->protocol->slide,
        .wall_clock_s = loader->wall_clock_s,
        .ticks_read = loader->ticks.read,
        .ticks_copy = loader->ticks.copy,
        .ticks_check = loader->ticks.check,
    };
    loader->info = info;
    if (info->module_count > 0)
        info->modules = address_space_vaddr(&loader->space, loader->modules.paddr);
    describe_kernel(info, &loader->plan);
    describe_tls(info, &loader->plan);
    describe_command_line(loader);
    info->random_source = random_fill(info->random_seed, loader->wall_clock_s);
    firmware_describe(info);
}

/* Give back what the kernel has no use for, and copy the map to memory that has been taken before.
 */
static void finish_memory_map(struct loader *loader, uint64_t copy_paddr)
{
    struct memory_map *map = &loader->map;

    plan_free(&loader->plan, map);
    memory_map_settle(map);
    memcpy((void *)(uintptr_t)copy_paddr, map->ranges, map->count * sizeof(*map->ranges));
    loader->info->memory_map = address_space_vaddr(&loader->space, copy_paddr);
    loader->info->memory_map_count = map->count;
}

void bootinfo_finish(struct loader *loader)
{
    struct memory_map *map = &loader->map;
    struct bootinfo *info = loader->info;
    struct bootinfo_request *requests = NULL;

    info->recursive_entry = loader->space.recursive_entry;
    info->request_count = requests_echo(&loader->plan, NULL);
    if (info->request_count > 0) {
        uint64_t paddr = memory_map_take_pages(map, info->request_count * sizeof(*requests));

        requests = (struct bootinfo_request *)(uintptr_t)paddr;
        info->requests = address_space_vaddr(&loader->space, paddr);
    }
    loader->map_copy_ranges = map->count + MAP_CHANGES;
    uint64_t map_paddr = memory_map_take_pages(map, loader->map_copy_ranges * sizeof(*map->ranges));

    finish_memory_map(loader, map_paddr);
    requests_check_memory(&loader->plan, memory_map_total(map, BOOTINFO_MEMORY_USABLE));
    requests_echo(&loader->plan, requests); /* now that each is met or given up */
}

void bootinfo_leave(struct loader *loader)
{
    struct memory_map *map = &loader->map;
    struct bootinfo *info = loader->info;
    const uint64_t offset = loader->space.physical_memory;

    firmware_leave(map, info);
    firmware_mask_interrupts();
    if (info->efi_memory_map)
        info->efi_memory_map = address_space_vaddr(&loader->space, info->efi_memory_map);
    if (map->count > loader->map_copy_ranges)
        fail(ERROR_MEMORY_MAP_FULL, {"entries", map->count});
    memcpy((void *)(uintptr_t)(info->memory_map - offset), map->ranges,
           map->count * sizeof(*map->ranges));
    info->memory_map_count = map->count;
}
