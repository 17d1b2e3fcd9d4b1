/*
 * The text screen of VGA: 25 rows of 80 cells at 0xB8000.
 */
#ifndef KERNEL_VGA_H
#define KERNEL_VGA_H

#include "screen.h"

extern const struct screen vga_screen;

#endif
