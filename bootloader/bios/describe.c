/*
 * What the core asks of a BIOS machine besides disk, memory, clock and tables: no video mode yet,
 * and a page for code that other CPUs start with.
 */
#include "../core/firmware.h"
#include "bios.h"

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
