/*
 * The exceptions of a run, from QEMU's log ("-d int,cpu_reset"), as it is written.
 *
 * The log may get very long: only the last exceptions are kept, and nothing is allocated. In
 * 16-bit real mode QEMU logs none. KVM logs none at all.
 */
#ifndef BOOTIMAGE_RUN_EXCEPTION_LOG_H
#define BOOTIMAGE_RUN_EXCEPTION_LOG_H

#include "run/exception.h"

#define EXCEPTION_LOG_KEPT 64

/* No line that is read is longer, nor are the registers at an exception. */
#define EXCEPTION_LOG_LINE_BYTES 512
#define EXCEPTION_LOG_DUMP_BYTES 4096
/* CPUs write side by side: so many may be at an exception each. */
#define EXCEPTION_LOG_CPUS 8

/* A CPU has raised something, perhaps while it was delivering an exception. */
struct exception_check {
    uint32_t during; /* or EXCEPTION_NONE */
    uint32_t raised;
};

/* Where an exception or an interrupt was delivered. */
struct exception_place {
    uint64_t rip;
    uint64_t rsp;
    uint32_t vector;
};

/* Start with exception_log_start(). What is in it is for exception_log.c alone. */
struct exception_log {
    struct exception kept[EXCEPTION_LOG_KEPT]; /* number n is at n % EXCEPTION_LOG_KEPT */
    uint64_t count;                            /* of exceptions, kept and forgotten */
    bool is_triple_fault;
    uint32_t triple_fault_raised;
    /* Of all three, the oldest is first. */
    struct exception_place places[EXCEPTION_LOG_CPUS];
    size_t place_count;
    struct exception_check checks[EXCEPTION_LOG_CPUS];
    size_t check_count;
    struct exception pending[EXCEPTION_LOG_CPUS]; /* of their registers, rip and rsp are known */
    size_t pending_count;
    char line[EXCEPTION_LOG_LINE_BYTES];
    size_t line_bytes;
    char dump[EXCEPTION_LOG_DUMP_BYTES]; /* of the registers that a pending exception waits for */
    size_t dump_bytes;
};

void exception_log_start(struct exception_log *log);

/* The next bytes, cut anywhere. A line counts when its end has come. */
void exception_log_feed(struct exception_log *log, const char *bytes, size_t count);

/* Of the last exceptions of all CPUs, the one that index others came after: 0 is the newest. NULL
   behind the oldest that is kept. Lives until the next exception_log_feed(). */
const struct exception *exception_log_newest(const struct exception_log *log, size_t index);

/* Whether CPU 0 has not been reset since a triple fault. *raised gets what was raised while the
   double fault was delivered, or EXCEPTION_NONE. */
bool exception_log_is_triple_fault(const struct exception_log *log, uint32_t *raised);

/* The exceptions that led to the triple fault, or else to the newest one: each came while the one
   before was delivered. Oldest first, at most EXCEPTION_LOG_KEPT; returns their number, which is 0
   where QEMU has logged none. */
size_t exception_log_chain(const struct exception_log *log,
                           const struct exception *chain[EXCEPTION_LOG_KEPT]);

#endif
