/*
 * How a test kernel tells the test what it found: lines on the debug console, port 0xE9.
 *
 * First `entered`, then a line `ok 1 - what` or `not ok 2 - what` for each check, last `1..2` and
 * `done`. Lines that begin with `# ` carry values that only the test can judge. The test compares
 * the count, so that a check that was never reached is missed. Any compiler may build this, with
 * any flags: it assumes nothing but the port.
 */
#ifndef TESTS_BOOT_KERNELS_REPORT_H
#define TESTS_BOOT_KERNELS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#define REPORT_PORT 0xE9
#define REPORT_SCREEN ((volatile uint16_t *)0xB8000)
#define REPORT_SCREEN_COLUMNS 80
/* The last row: what the BIOS printed stands above it. */
#define REPORT_SCREEN_ROW 24

/* A kernel of several files says so, and one of them defines it. */
#ifdef REPORT_SEVERAL_FILES
extern unsigned report_checks;
#else
static unsigned report_checks;
#endif

static inline void report_byte(char byte)
{
    __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"((uint16_t)REPORT_PORT));
}

static inline void report_text(const char *text)
{
    while (*text != '\0')
        report_byte(*text++);
}

static inline void report_decimal(uint64_t value)
{
    char digits[21];
    unsigned at = sizeof(digits) - 1;
    unsigned long rest = (unsigned long)value; /* 32-bit code cannot divide more */

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    report_text(&digits[at]);
}

static inline void report_hex(uint64_t value)
{
    report_text("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        report_byte("0123456789abcdef"[value >> shift & 0xF]);
}

/* A value for the test to judge. */
static inline void report_value(const char *name, uint64_t value)
{
    report_text("# ");
    report_text(name);
    report_text(" = ");
    report_hex(value);
    report_text("\n");
}

static inline void report_string(const char *name, const char *value)
{
    report_text("# ");
    report_text(name);
    report_text(" = ");
    report_text(value);
    report_text("\n");
}

/* The first act of every test kernel. */
static inline void report_entered(void)
{
    report_text("entered\n");
}

static inline void report_check(bool holds, const char *what)
{
    report_text(holds ? "ok " : "not ok ");
    report_decimal(++report_checks);
    report_text(" - ");
    report_text(what);
    report_text("\n");
}

/* Text on the last row of the screen, for kernels that must show that they can reach it. */
static inline void report_screen(const char *text)
{
    for (unsigned column = 0; text[column] != '\0'; column++)
        REPORT_SCREEN[REPORT_SCREEN_ROW * REPORT_SCREEN_COLUMNS + column] =
            (uint16_t)(0x0A00 | (uint8_t)text[column]);
}

static inline _Noreturn void report_done(void)
{
    report_text("1..");
    report_decimal(report_checks);
    report_text("\ndone\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}

#endif
