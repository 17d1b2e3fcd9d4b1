/*
 * The verdict of `bootimage test`: what was seen of a run, weighed.
 */
#ifndef BOOTIMAGE_RUN_VERDICT_H
#define BOOTIMAGE_RUN_VERDICT_H

#include "options.h"

#include <stdbool.h>

/* The exit status. */
enum verdict_status {
    VERDICT_PASSED = 0,
    VERDICT_FAILED = 1, /* as the guest says */
    VERDICT_USAGE = 2,  /* or there is no image, or what was asked for cannot be kept */
    VERDICT_TIMEOUT = 3,
    VERDICT_RESET = 4,
    VERDICT_SHUT_DOWN = 5,
    VERDICT_QEMU = 6,
    VERDICT_LOADER = 7,
    VERDICT_EXPECTATION = 8,
};

/* What was seen. Texts live as long as this does; NULL: it was not so. */
struct facts {
    const char *qemu_failure; /* it could not be started, or died */
    const char *loader_error; /* its line, without "bootimage: " */
    bool has_triple_fault;
    bool has_reset;        /* of any kind, the one before included */
    bool reset_is_unclear; /* nobody can tell which */
    bool has_panicked;
    bool has_exit_code;
    unsigned int exit_code; /* 0 to 0x7F */
    bool has_shut_down;
    bool has_timed_out;
    bool has_stopped; /* all CPUs are halted with interrupts off */
    bool has_tap;
    const char *tap_failure;
    bool expects;      /* there are expectations, beside an exit code */
    const char *unmet; /* the first expectation that does not hold */
};

#define VERDICT_TEXT_BYTES 1024

struct verdict {
    enum verdict_status status;
    char text[VERDICT_TEXT_BYTES]; /* one line: why */
};

void verdict_give(struct verdict *verdict, const struct facts *facts,
                  const struct options_expectations *expectations);

#endif
