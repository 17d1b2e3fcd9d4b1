/*
 * Text on a framebuffer, as UEFI leaves one.
 */
#ifndef KERNEL_FRAMEBUFFER_H
#define KERNEL_FRAMEBUFFER_H

#include "bootimage/bootinfo.h"
#include "screen.h"

/* The screen that the framebuffer is, in cells of the font; NULL: it has no room for one, or pixels
   of a size that nobody knows. There is one at a time. */
const struct screen *framebuffer_screen(const struct bootinfo_framebuffer *framebuffer);

#endif
