/*
 * panic(): it may be called from anywhere, before any initialisation and from exception handlers,
 * and nothing comes after it.
 */
#include "panic.h"

#include "console.h"
#include "cpu.h"

#include <stdarg.h>

/* A report that fails gets one report of its own. */
#define PANIC_MAX_REPORTS 2

static unsigned int panic_reports;

void panic_begin(void)
{
    if (panic_reports == PANIC_MAX_REPORTS)
        cpu_halt();
    panic_reports++;
    console_set_color(SCREEN_LIGHT_RED);
}

void panic_at(const char *file, int line, const char *function, const char *format, ...)
{
    va_list arguments;

    panic_begin();
    console_print("\npanic: %s:%d, %s(): ", file, line, function);
    va_start(arguments, format);
    console_vprint(format, arguments);
    va_end(arguments);
    console_print("\n");
    cpu_halt();
}
