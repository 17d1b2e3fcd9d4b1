/*
 * The kernel that is booted for time: it looks at the time stamp counter before all else, then
 * reports it with those that the loader took. Its payload (tests/boot/kernels/payload.S) makes it
 * as large as the benchmark wants it.
 */
#include "report.h"

#include "bootimage/bootinfo.h"

static inline uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

void _start(const struct bootinfo *info);

void _start(const struct bootinfo *info)
{
    const uint64_t start = tsc();

    report_entered();
    report_value("stage1", info->tsc_stage1);
    report_value("stage2", info->tsc_stage2);
    report_value("loader", info->tsc_loader);
    report_value("load", info->tsc_load);
    report_value("map", info->tsc_map);
    report_value("enter", info->tsc_enter);
    report_value("start", start);
    report_done();
}
