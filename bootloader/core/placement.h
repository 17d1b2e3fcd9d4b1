/*
 * Where the kernel's regions go in physical memory.
 */
#ifndef BOOTLOADER_CORE_PLACEMENT_H
#define BOOTLOADER_CORE_PLACEMENT_H

struct memory_map;
struct plan;

/* Take memory for every region of the plan: at the address it asks for where that is free, else,
   if the region may move, anywhere between 1 MiB and 4 GiB. Afterwards each region's paddr is where
   it lies. Memory whose one-to-one or physical-memory address the kernel's own mapping will cover
   is marked MEMORY_SHADOWED. Fails when there is not enough. */
void placement_place(struct plan *plan, struct memory_map *map);

#endif
