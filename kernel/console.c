/*
 * The console: one formatted print for the screen (vga.c) and COM1 (serial.c), usable from the
 * first instruction of the kernel to a panic.
 */
#include "console.h"

#include "format.h"
#include "serial.h"

static enum vga_color console_color = VGA_LIGHT_GREY;

static void console_put(void *context, char character)
{
    (void)context;
    serial_put(character);
    vga_put(character, console_color, VGA_BLACK);
}

void console_clear(void)
{
    vga_clear();
}

void console_set_color(enum vga_color color)
{
    console_color = color;
}

void console_keep_above(void)
{
    vga_keep_above();
}

void console_print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    console_vprint(format, arguments);
    va_end(arguments);
}

void console_vprint(const char *format, va_list arguments)
{
    const struct format_output output = {.put = console_put};

    format_print(&output, format, arguments);
    vga_move_cursor();
}
