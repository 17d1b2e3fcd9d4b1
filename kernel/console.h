/*
 * The console: what is printed shows on the screen and goes out on COM1.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "vga.h"

#include <stdarg.h>

/* Blanks the screen and goes to its first row. Printing works before this, too. */
void console_clear(void);

/* The colour of what is printed from now on, on black; light grey at first. */
void console_set_color(enum vga_color color);

/* What stands above the current row stays on the screen when the rest scrolls. */
void console_keep_above(void);

/* Prints text in UTF-8; format.h says which conversions there are. */
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);
__attribute__((format(printf, 1, 0))) void console_vprint(const char *format, va_list arguments);

#endif
