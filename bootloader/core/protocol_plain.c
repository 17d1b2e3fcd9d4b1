/*
 * The plain protocol: a 64-bit ELF, entered in long mode at e_entry with a struct bootinfo in RDI.
 * prepare builds what bootinfo.h promises; enter makes the jump.
 */
#include "bootinfo.h"
#include "cpus.h"
#include "placement.h"
#include "protocol.h"
#include "video.h"

static void prepare_handover(struct loader *loader)
{
    const struct address_space *space = &loader->space;

    loader->handover = (struct handover){
        .page_paddr = memory_map_take_pages(&loader->map, MEMORY_PAGE_BYTES),
        .tables_paddr = space->paging.root_paddr,
        .entry_vaddr = loader->protocol->entry_vaddr,
        .stack_top_vaddr = BOOTINFO_STACK_TOP,
        .argument = address_space_vaddr(space, (uintptr_t)loader->info),
        .physical_memory = space->physical_memory,
        .levels = space->levels,
        .has_nx = space->paging.has_nx,
        .has_x2apic = loader->apic.is_x2apic,
    };
    placement_list_moves(&loader->plan, &loader->map, &loader->handover, 0);
    cpus_note_mtrrs(loader);
    handover_copy(&loader->handover);
}

void protocol_plain_prepare(struct loader *loader)
{
    address_space_start(loader);
    bootinfo_start(loader);
    prepare_handover(loader);
    cpus_prepare(loader);
    video_start(loader);
    address_space_map(loader);
    bootinfo_finish(loader);
}

void protocol_plain_enter(struct loader *loader)
{
    bootinfo_leave(loader);
    cpus_start(loader);
    loader->info->tsc_enter = cpu_read_tsc();
    handover_enter(&loader->handover);
}
