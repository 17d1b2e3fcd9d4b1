/*
 * The end of the BIOS. All it keeps to itself is in the memory map from the start.
 */
#include "../core/firmware.h"
#include "../pc/interrupts.h"

void firmware_leave(struct memory_map *map, struct bootinfo *info)
{
    (void)map;
    (void)info;
    interrupts_mask();
}
