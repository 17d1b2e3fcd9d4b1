/*
 * From what a clock shows to seconds; each front end reads its firmware's clock.
 */
#include "calendar.h"

#include <stdbool.h>

#define SECONDS_PER_DAY 86400
#define LAST_YEAR 9999

/* Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March here, so that a
   leap day is the last of its year. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t months = (month + 9) % 12;

    if (month <= 2)
        year--;
    return year * 365 + year / 4 - year / 100 + year / 400 + (months * 306 + 5) / 10 + day - 719469;
}

static bool in_range(int value, int least, int most)
{
    return value >= least && value <= most;
}

int64_t calendar_seconds(const struct calendar_time *time)
{
    if (!in_range(time->year, 1970, LAST_YEAR) || !in_range(time->month, 1, 12) ||
        !in_range(time->day, 1, 31) || !in_range(time->hour, 0, 23) ||
        !in_range(time->minute, 0, 59) || !in_range(time->second, 0, 59))
        return 0;
    int64_t since_midnight = (time->hour * 60 + time->minute) * 60 + time->second;
    int64_t days = days_since_1970(time->year, time->month, time->day);
    return days < 0 ? 0 : days * SECONDS_PER_DAY + since_midnight;
}
