/*
 * What the core asks of a BIOS machine besides disk, memory, clock, tables and video: a page for
 * code that other CPUs start with.
 */
#include "../core/firmware.h"
#include "bios.h"

uint64_t firmware_low_page(void)
{
    return (uintptr_t)bios_bounce;
}

uint64_t firmware_map_bytes(void)
{
    return 0;
}
