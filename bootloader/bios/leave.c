/*
 * The end of the BIOS. All it keeps to itself is in the memory map from the start; no interrupt has
 * been taken since the last call of it.
 */
#include "../core/firmware.h"

void firmware_leave(struct memory_map *map, struct bootinfo *info)
{
    (void)map;
    (void)info;
}

bool firmware_has_services(void)
{
    return false;
}

/* All of it is the loader's from the start. */
void firmware_give_back(const struct memory_map *map)
{
    (void)map;
}

/* Never called. */
uint64_t firmware_stay(void)
{
    return 0;
}
