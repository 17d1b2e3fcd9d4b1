/*
 * panic(): it may be called from anywhere, before any initialisation and from exception handlers,
 * and nothing comes after it.
 */
#include "panic.h"

#include "console.h"
#include "cpu.h"
#include "verdict.h"

#include <stdarg.h>

/* A report that fails gets one report of its own. */
#define PANIC_MAX_REPORTS 2

static unsigned int panic_reports;
static void (*panic_other_end)(void);

void panic_begin(void)
{
    panic_reports++;
    if (panic_reports == PANIC_MAX_REPORTS + 1)
        panic_end();
    if (panic_reports > PANIC_MAX_REPORTS)
        cpu_halt();
    console_set_color(SCREEN_LIGHT_RED);
    console_begin_line();
}

void panic_end(void)
{
    if (panic_other_end) {
        panic_reports = 0;
        panic_other_end();
    }
    verdict_panicked();
    verdict_end(VERDICT_FAILED);
}

void panic_set_end(void (*end)(void))
{
    panic_other_end = end;
}

void panic_at(const char *file, int line, const char *function, const char *format, ...)
{
    va_list arguments;

    panic_begin();
    console_print("panic: %s:%d, %s(): ", file, line, function);
    va_start(arguments, format);
    console_vprint(format, arguments);
    va_end(arguments);
    console_print("\n");
    panic_end();
}
