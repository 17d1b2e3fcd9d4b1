/*
 * A kernel without paging that may be loaded elsewhere than it was linked, as a whole.
 */
#ifndef BOOTLOADER_CORE_EXTENT_H
#define BOOTLOADER_CORE_EXTENT_H

struct memory_map;
struct plan;

/* If the plan says that the kernel may move, choose its place and move every address in the plan.
   Before the placement. Fails when it fits nowhere. */
void extent_choose(struct plan *plan, const struct memory_map *map);

#endif
