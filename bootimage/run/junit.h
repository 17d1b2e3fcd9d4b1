/*
 * The outcome of `bootimage test` as JUnit XML, which CI systems show.
 */
#ifndef BOOTIMAGE_RUN_JUNIT_H
#define BOOTIMAGE_RUN_JUNIT_H

#include <stdint.h>
#include <stdio.h>

#include "run/tap.h"

#define JUNIT_SERIAL_BYTES 65536

/* Texts may hold anything. */
struct junit_run {
    const char *name;      /* of the kernel */
    const struct tap *tap; /* or NULL */
    const char *failure;   /* the verdict in a line, or NULL if it passed */
    const char *report;    /* of the crash, in lines, or NULL */
    const char *serial;    /* all that the guest wrote: the last JUNIT_SERIAL_BYTES are shown */
    size_t serial_bytes;
    uint64_t milliseconds; /* from start to end */
};

/* One test case for each test of the TAP. The run is one more if there are none, or if it failed
   and they do not tell, or there is a report. False if it could not be written: closing output may
   show that, too. The same run gives the same bytes. */
bool junit_write(const struct junit_run *run, FILE *output);

#endif
