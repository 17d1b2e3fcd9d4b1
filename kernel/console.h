/*
 * The console: what is printed shows on the screen and goes out on COM1.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "bootimage/bootinfo.h"
#include "screen.h"

#include <stdarg.h>

/* Goes to the first row of the screen that shows something, blank. Printing works before this, too,
   on a text screen. */
void console_start(const struct bootinfo *info);

/* The colour of what is printed from now on, on black; light grey at first. */
void console_set_color(enum screen_color color);

/* What each line begins with from now on; nothing at first. */
void console_set_prefix(const char *prefix);

/* Ends the current line, if it holds anything. */
void console_begin_line(void);

/* What stands above the current row stays on the screen when the rest scrolls. */
void console_keep_above(void);

/* Prints text in UTF-8; format.h says which conversions there are. */
__attribute__((format(printf, 1, 2))) void console_print(const char *format, ...);
__attribute__((format(printf, 1, 0))) void console_vprint(const char *format, va_list arguments);

#endif
