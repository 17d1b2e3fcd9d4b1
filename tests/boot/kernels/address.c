/*
 * A kernel with a payload, linked low, high, or in between: it checks that it runs where it was
 * linked to run, and that every sector of the payload came to its place.
 *
 * Assumes the linker's own symbols for the ends of its sections.
 */
#include "payload.h"
#include "report.h"

extern uint8_t __executable_start[];
extern uint8_t end[];

static uint64_t bss[8192];

void _start(void);

void _start(void)
{
    uint64_t rip;

    report_entered();
    __asm__ volatile("leaq 0(%%rip), %0" : "=r"(rip));
    report_check(rip > (uintptr_t)__executable_start && rip < (uintptr_t)end,
                 "it runs at its own address");
    report_check(payload_intact(), "the payload is intact");
    report_check(payload_all_zero(bss, bss + 8192), "bss is zero");
    bss[0] = payload_bytes();
    report_value("payload", bss[0]);
    report_value("address", (uintptr_t)__executable_start);
    report_done();
}
