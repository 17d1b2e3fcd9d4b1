/*
 * The plain 32-bit protocol: entered in flat protected mode at e_entry, as a C function whose
 * argument is the struct bootinfo, all addresses in which are physical.
 */
#include "bootinfo.h"
#include "placement.h"
#include "protocol.h"
#include "video.h"

/* As after a call: the return address, then the argument, and that at a multiple of 16
   [System V ABI i386 §2.2.2 "The Stack Frame"]. */
#define FRAME_BYTES 20u

struct frame {
    uint32_t return_address; /* 0 */
    uint32_t info_paddr;     /* 4 */
    uint32_t padding[3];     /* 8: 0 */
};
_Static_assert(sizeof(struct frame) == FRAME_BYTES, "frame");

void protocol_plain32_prepare(struct loader *loader)
{
    const uint64_t stack_bytes = loader->protocol->stack_bytes;

    bootinfo_start(loader);
    loader->info->stack_top = memory_map_take_pages(&loader->map, stack_bytes) + stack_bytes;

    struct frame *frame = (struct frame *)(uintptr_t)(loader->info->stack_top - FRAME_BYTES);
    *frame = (struct frame){.info_paddr = (uint32_t)(uintptr_t)loader->info};
    loader->handover = (struct handover){
        .page_paddr = memory_map_take_pages(&loader->map, MEMORY_PAGE_BYTES),
        .entry_vaddr = loader->protocol->entry_vaddr,
        .registers = {.ebx = (uint32_t)(uintptr_t)loader->info, .esp = (uint32_t)(uintptr_t)frame},
    };
    placement_list_moves(&loader->plan, &loader->map, &loader->handover, 0);
    handover_copy(&loader->handover);
    video_start(loader);
    bootinfo_finish(loader);
}

void protocol_plain32_enter(struct loader *loader)
{
    bootinfo_leave(loader);
    loader->info->tsc_enter = cpu_read_tsc();
    handover_enter(&loader->handover);
}
