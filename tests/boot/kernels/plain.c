/*
 * A kernel as a user's own build makes it: a compiler and a linker without any flags of ours, with
 * SSE in use, more than 1 MiB of data (payload.S) and even more .bss.
 *
 * Assumes what the System V ABI promises a function: an aligned stack, the direction flag clear,
 * SSE usable. Built by gcc and ld, and by clang and ld.lld.
 */
#include "payload.h"
#include "report.h"

#define BSS_QUADS (4 * 1024 * 1024 / 8)

static uint64_t bss[BSS_QUADS];
static volatile uint32_t initialised[4] = {0x01234567, 0x89ABCDEF, 0xDEADBEEF, 0x00C0FFEE};
static volatile double half = 0.5;

/* SSE registers that must be spilled to the stack: an unaligned one would fault. */
static __attribute__((noinline)) bool sse_works(void)
{
    volatile float __attribute__((vector_size(16))) sum = {1, 2, 3, 4};

    sum = sum + sum;
    return sum[0] == 2 && sum[3] == 8 && half * 3 == 1.5;
}

void _start(void);

void _start(void)
{
    report_entered();
    report_check(payload_all_zero(bss, bss + BSS_QUADS), "bss is zero");
    report_check(payload_bytes() > 1024 * 1024, "the data is larger than 1 MiB");
    report_check(payload_intact(), "the data is intact");
    report_check(initialised[0] == 0x01234567 && initialised[1] == 0x89ABCDEF &&
                     initialised[2] == 0xDEADBEEF && initialised[3] == 0x00C0FFEE,
                 "initialised variables are intact");
    report_check(sse_works(), "SSE works");
    bss[BSS_QUADS - 1] = initialised[0]++;
    report_check(bss[BSS_QUADS - 1] == 0x01234567 && initialised[0] == 0x01234568,
                 "data and bss are writable");
    report_string("compiler", __VERSION__);
    report_screen("plain kernel");
    report_done();
}
