/*
 * The story of a boot, behind the front end of the firmware: read the plan that the tool made, find
 * memory for the kernel, load it, and enter it as its boot protocol says.
 */
#include "loader.h"

#include "extent.h"
#include "load.h"
#include "log.h"
#include "placement.h"
#include "protocol.h"
#include "relocation.h"
#include "request.h"

/* If the kernel wants the firmware's services and there are some, nothing that the firmware has is
   ever the kernel's. */
static void keep_services(struct loader *loader)
{
    if (!firmware_has_services())
        return;
    loader->services_entry = (const void *)plan_find(&loader->plan, NULL, PLAN_EFI_ENTRY);
    if (loader->services_entry)
        memory_map_retype(&loader->map, 0, UINT64_MAX, MEMORY_LEASED, BOOTINFO_MEMORY_RESERVED);
}

void loader_main(const struct firmware_boot *boot)
{
    struct loader loader = {
        .boot = *boot,
        .tsc_loader = cpu_read_tsc(),
        .wall_clock_s = firmware_wall_clock(),
        .cpu = cpu_features(),
    };

    loader.apic = apic_find(&loader.cpu);
    firmware_memory_map(&loader.map);
    memory_map_align(&loader.map);
    plan_read(&loader.plan, boot, &loader.map);
    loader.protocol = (const void *)plan_find(&loader.plan, NULL, PLAN_PROTOCOL);
    const struct protocol *protocol = protocol_find(loader.protocol->protocol);
    loader.traits = protocol->traits;
    if (loader.traits & PROTOCOL_BIOS && firmware_has_services())
        fail(ERROR_BIOS_ONLY, {"protocol", protocol->number});
    keep_services(&loader);

    requests_check(&loader.plan);
    if (protocol->traits & PROTOCOL_PAGING) {
        address_space_choose(&loader);
    } else {
        extent_choose(&loader.plan, &loader.map);
        placement_keep_gaps(&loader.plan, &loader.map);
    }
    relocation_choose_base(&loader.plan, loader.wall_clock_s);
    placement_place(&loader.plan, &loader.map, loader.space.physical_memory);
    loader.tsc_load = cpu_read_tsc();
    load_regions(&loader.plan, &loader.ticks);
    relocation_apply(&loader.plan);
    modules_load(&loader);

    loader.tsc_map = cpu_read_tsc();
    protocol->prepare(&loader);
    protocol->enter(&loader);
}
