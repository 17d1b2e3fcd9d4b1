/*
 * The real-time clock, asked through the BIOS: it knows how its clock counts (BCD or not, 12 or 24
 * hours, where the century is) and waits for the clock's updates.
 */
#include "../core/firmware.h"
#include "bios_call.h"

#include <stdbool.h>

#define TIME_SERVICES 0x1a
#define READ_TIME 0x0200
#define READ_DATE 0x0400
/* The clock may be busy, or midnight may come between two calls. */
#define MOST_TRIES 4
#define SECONDS_PER_DAY 86400

/* Two decimal digits in a byte of a register; -1 when they are none. */
static int digits(uint32_t value, unsigned int shift)
{
    unsigned int high = value >> (shift + 4) & 0xf, low = value >> shift & 0xf;

    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

static bool in_range(int value, int least, int most)
{
    return value >= least && value <= most;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March here, so that a
   leap day is the last of its year. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t months = (month + 9) % 12;

    if (month <= 2)
        year--;
    return year * 365 + year / 4 - year / 100 + year / 400 + (months * 306 + 5) / 10 + day - 719469;
}

/* The parts of the clock's answers in seconds; 0 when they make no date. */
static int64_t seconds(const struct bios_registers *date, const struct bios_registers *time)
{
    int century = digits(date->ecx, 8), year = digits(date->ecx, 0);
    int month = digits(date->edx, 8), day = digits(date->edx, 0);
    int hour = digits(time->ecx, 8), minute = digits(time->ecx, 0), second = digits(time->edx, 8);

    if (!in_range(century, 19, 99) || !in_range(year, 0, 99) || !in_range(month, 1, 12) ||
        !in_range(day, 1, 31) || !in_range(hour, 0, 23) || !in_range(minute, 0, 59) ||
        !in_range(second, 0, 59))
        return 0;
    int64_t since_midnight = (hour * 60 + minute) * 60 + second;
    int64_t days = days_since_1970(century * 100 + year, month, day);
    return days < 0 ? 0 : days * SECONDS_PER_DAY + since_midnight;
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
