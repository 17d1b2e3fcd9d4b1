/*
 * A kernel that asks for a framebuffer and tells the EDID of its screen.
 */
#include <bootimage/bootinfo.h>

#include "kernel.h"

#include "../report.h"

#include <stddef.h>

void kernel_main(const struct bootinfo *info);

void kernel_main(const struct bootinfo *info)
{
    const struct bootinfo_framebuffer *framebuffer =
        (const struct bootinfo_framebuffer *)info->framebuffers;
    const uint8_t *edid = framebuffer ? (const uint8_t *)framebuffer->edid : NULL;

    report_entered();
    report_check(framebuffer, "there is a framebuffer");
    report_check(framebuffer && (edid != NULL) == (framebuffer->edid_bytes != 0),
                 "an EDID has bytes");
    report_text("# edid = ");
    for (uint64_t i = 0; edid && i < framebuffer->edid_bytes; i++) {
        report_byte("0123456789abcdef"[edid[i] >> 4]);
        report_byte("0123456789abcdef"[edid[i] & 0xf]);
    }
    report_text("\n");
    report_done();
}
