/*
 * The kernel that is booted for time by the protocols of other loaders, with the entry of the
 * kernels in tests/boot: it looks at the time stamp counter before all else, and reports it. Its
 * payload makes it as large as the benchmark wants it.
 */
#include "protocols/state.h"

void check(void)
{
    uint64_t start;

    __asm__ volatile("rdtsc" : "=A"(start));
    report_entered();
    report_value("start", start);
    report_done();
}
