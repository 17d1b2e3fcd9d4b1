/*
 * A kernel of very many segments: remake.py appends SEGMENTS_COUNT PT_LOADs to it, one a page from
 * SEGMENTS_VADDR on. Each begins with its number times SEGMENTS_FACTOR; the rest of its
 * SEGMENTS_BYTES is zero. It checks each of them.
 */
#include "report.h"

#define SEGMENTS_VADDR 0x200000u
#define SEGMENTS_COUNT 1000u
#define SEGMENTS_STRIDE 0x1000u
#define SEGMENTS_BYTES 0x800u
#define SEGMENTS_FACTOR 0x9E3779B97F4A7C15ull

static unsigned intact_segments(void)
{
    unsigned intact = 0;

    for (uint64_t i = 0; i < SEGMENTS_COUNT; i++) {
        const volatile uint64_t *quad =
            (const volatile uint64_t *)(SEGMENTS_VADDR + i * SEGMENTS_STRIDE);
        bool good = quad[0] == (i + 1) * SEGMENTS_FACTOR;

        for (unsigned n = 1; n < SEGMENTS_BYTES / sizeof(*quad); n++)
            good = good && quad[n] == 0;
        intact += good;
    }
    return intact;
}

void _start(void);

void _start(void)
{
    report_entered();
    report_check(intact_segments() == SEGMENTS_COUNT, "every segment is intact");
    report_done();
}
