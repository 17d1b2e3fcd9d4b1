/*
 * Dates of the real-time clock as numbers.
 */
#ifndef BOOTLOADER_CORE_CALENDAR_H
#define BOOTLOADER_CORE_CALENDAR_H

#include <stdint.h>

/* As a clock shows it, in the Gregorian calendar. */
struct calendar_time {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};

/* Seconds since 1970 as if the clock were set to UTC; 0 when this is no date from 1970 on. */
int64_t calendar_seconds(const struct calendar_time *time);

#endif
