/*
 * Ticks of the time stamp counter are compared with a clock that knows the time, at the start of a
 * run and at its end.
 */
#include "run/clock.h"

#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

#define NS_PER_MS 1e6

int64_t clock_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void clock_start(struct clock *clock)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    clock->ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
#ifdef __x86_64__
    clock->ticks = __rdtsc();
#else
    clock->ticks = 0;
#endif
}

double clock_rate(const struct clock *clock)
{
    struct clock now;

    clock_start(&now);
    if (now.ticks <= clock->ticks || now.ns <= clock->ns)
        return 0;
    return (double)(now.ticks - clock->ticks) / ((double)(now.ns - clock->ns) / NS_PER_MS);
}
