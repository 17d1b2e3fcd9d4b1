/*
 * The console: one formatted print for the screen (screen.c) and COM1 (serial.c), usable from the
 * first instruction of the kernel to a panic.
 */
#include "console.h"

#include "format.h"
#include "framebuffer.h"
#include "serial.h"
#include "vga.h"

#include <stdbool.h>
#include <stddef.h>

static enum screen_color console_color = SCREEN_LIGHT_GREY;
static const char *console_prefix = "";
static bool console_is_within_line;

static void console_put_bare(char character)
{
    serial_put(character);
    screen_put(character, console_color);
}

static void console_put(void *context, char character)
{
    (void)context;
    for (const char *prefix = console_prefix; !console_is_within_line && *prefix; prefix++)
        console_put_bare(*prefix);
    console_is_within_line = character != '\n';
    console_put_bare(character);
}

/* In text mode there is no framebuffer. */
static const struct screen *console_screen(const struct bootinfo *info)
{
    if (info->framebuffer_count > 0)
        return framebuffer_screen((const struct bootinfo_framebuffer *)info->framebuffers);
    return info->flags & BOOTINFO_TEXT_SCREEN ? &vga_screen : NULL;
}

void console_start(const struct bootinfo *info)
{
    screen_use(console_screen(info));
}

void console_set_color(enum screen_color color)
{
    console_color = color;
}

void console_set_prefix(const char *prefix)
{
    console_prefix = prefix;
}

void console_begin_line(void)
{
    if (console_is_within_line)
        console_print("\n");
}

void console_keep_above(void)
{
    screen_keep_above();
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
    screen_move_cursor();
}
