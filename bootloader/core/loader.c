/*
 * The story of a boot, behind the front end of the firmware: read the plan that the tool made, find
 * memory for the kernel, load it, and enter it as its boot protocol says.
 */
#include "loader.h"

#include "load.h"
#include "placement.h"
#include "protocol.h"
#include "relocation.h"
#include "request.h"

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

    requests_check(&loader.plan);
    address_space_choose(&loader);
    relocation_choose_base(&loader.plan, loader.wall_clock_s);
    placement_place(&loader.plan, &loader.map, loader.space.physical_memory);
    loader.tsc_load = cpu_read_tsc();
    load_regions(&loader.plan);
    relocation_apply(&loader.plan);
    modules_load(&loader);

    loader.tsc_map = cpu_read_tsc();
    protocol->prepare(&loader);
    protocol->enter(&loader);
}
