/*
 * Where the kernel's regions go in physical memory.
 */
#ifndef BOOTLOADER_CORE_PLACEMENT_H
#define BOOTLOADER_CORE_PLACEMENT_H

#include <stdint.h>

struct handover;
struct memory_map;
struct plan;

/* Take memory for every region of the plan: at the address it asks for where that is free, else,
   if the region may move, anywhere between 1 MiB and 4 GiB. Afterwards each region's paddr is where
   it lies. Memory whose address in the one-to-one map, or in that of all memory at
   `physical_memory`, will lead elsewhere is marked MEMORY_SHADOWED. Fails when there is not enough.
   A region that must be where the firmware is until it is left is loaded elsewhere. */
void placement_place(struct plan *plan, struct memory_map *map, uint64_t physical_memory);

/* Before placement, for a kernel that is entered without paging: the loader takes nothing of what
   lies between its regions, as many kernels take it for theirs. */
void placement_keep_gaps(const struct plan *plan, struct memory_map *map);

/* Take memory for the list of what the hand-over page moves, with room for `more` entries, and
   write down the regions that wait to be moved. */
void placement_list_moves(const struct plan *plan, struct memory_map *map,
                          struct handover *handover, uint64_t more);

#endif
