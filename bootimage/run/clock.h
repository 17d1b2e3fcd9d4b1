/*
 * The time, and the rate of this machine's time stamp counter, which QEMU hands to its guests, too.
 */
#ifndef BOOTIMAGE_RUN_CLOCK_H
#define BOOTIMAGE_RUN_CLOCK_H

#include <stdint.h>

/* A moment, by both clocks. */
struct clock {
    uint64_t ticks;
    int64_t ns;
};

/* Milliseconds of a clock that only rises. */
int64_t clock_ms(void);

void clock_start(struct clock *clock);

/* Ticks for each millisecond since then, the more exact the longer that was; 0: unknown, as on
   machines that are no PCs. */
double clock_rate(const struct clock *clock);

#endif
