/*
 * The real-time clock, asked through the BIOS: it knows how its clock counts (BCD or not, 12 or 24
 * hours, where the century is) and waits for the clock's updates.
 */
#include "../core/calendar.h"
#include "../core/firmware.h"
#include "bios_call.h"

#include <stdbool.h>

#define TIME_SERVICES 0x1a
#define READ_TIME 0x0200
#define READ_DATE 0x0400
/* The clock may be busy, or midnight may come between two calls. */
#define MOST_TRIES 4

/* Two decimal digits in a byte of a register; -1 when they are none. */
static int digits(uint32_t value, unsigned int shift)
{
    unsigned int high = value >> (shift + 4) & 0xf, low = value >> shift & 0xf;

    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

/* The clock's answers in seconds; 0 when they make no date. */
static int64_t seconds(const struct bios_registers *date, const struct bios_registers *time)
{
    int century = digits(date->ecx, 8), year = digits(date->ecx, 0);
    const struct calendar_time shown = {
        .year = century * 100 + year,
        .month = digits(date->edx, 8),
        .day = digits(date->edx, 0),
        .hour = digits(time->ecx, 8),
        .minute = digits(time->ecx, 0),
        .second = digits(time->edx, 8),
    };

    return year < 0 ? 0 : calendar_seconds(&shown);
}

static bool read_clock(uint32_t function, struct bios_registers *registers)
{
    *registers = (struct bios_registers){.eax = function};
    bios_call(TIME_SERVICES, registers);
    registers->ecx &= 0xffff;
    registers->edx &= 0xffff;
    return !bios_failed(registers);
}

int64_t firmware_wall_clock(void)
{
    struct bios_registers date, time, date_after;

    for (int i = 0; i < MOST_TRIES; i++) {
        if (read_clock(READ_DATE, &date) && read_clock(READ_TIME, &time) &&
            read_clock(READ_DATE, &date_after) && date.ecx == date_after.ecx &&
            date.edx == date_after.edx)
            return seconds(&date, &time);
    }
    return 0;
}
