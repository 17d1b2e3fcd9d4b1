/*
 * What a BIOS machine has besides disk and memory, as the core asks for it.
 */
#include "../core/firmware.h"
#include "bios.h"

#include <bootimage/bootinfo.h>

void firmware_describe(struct bootinfo *info)
{
    info->firmware = BOOTINFO_FIRMWARE_BIOS;
}

int64_t firmware_wall_clock(void)
{
    return 0;
}

bool firmware_set_video(const struct plan_request *wish, struct bootinfo_framebuffer *framebuffer)
{
    (void)wish;
    (void)framebuffer;
    return false;
}

uint64_t firmware_low_page(void)
{
    return (uintptr_t)bios_bounce;
}
