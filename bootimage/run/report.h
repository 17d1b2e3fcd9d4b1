/*
 * The report of a crash: what happened, where, and all that was there to see, as JSON, whose keys
 * bootimage(1) documents, and as text that is made from it.
 */
#ifndef BOOTIMAGE_RUN_REPORT_H
#define BOOTIMAGE_RUN_REPORT_H

#include "kernel.h"
#include "plan_reader.h"
#include "run/exception_log.h"
#include "run/machine.h"
#include "run/serial.h"
#include "run/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What is reported on: a machine that stands still, or has ended. */
struct report_subject {
    const char *name; /* of the file that was booted */
    const char *what; /* ended the run: "triple fault", "reset", "panic", "timeout", "exit code" */
    enum verdict_status status;
    const struct kernel *kernel; /* NULL: its file is not known */
    struct plan_view plan;       /* start is NULL: not known */
    struct machine *machine;
    const struct exception_log *log; /* NULL: nobody logs exceptions, as under KVM */
    const struct serial *serial;
};

/* A new reference; NULL without memory. */
json_t *report_make(const struct report_subject *subject);

/* root is of report_make(). */
void report_print(const json_t *root, FILE *file);

#endif
