/*
 * How the loader says that it cannot go on: one line, and a stop; or a line, and on it goes.
 */
#ifndef BOOTLOADER_CORE_LOG_H
#define BOOTLOADER_CORE_LOG_H

#include "errors.h"

#include <stdint.h>

/* A number that belongs to a failure; printed in hexadecimal. */
struct fail_number {
    const char *name;
    uint64_t value;
};

/* Print `bootimage: E<number> <text> (<name> <value>, ...)` and stop the machine. `numbers` ends
   with a name of NULL. */
_Noreturn void fail_with(enum error_number error, const struct fail_number *numbers);

/* fail(ERROR_DISK_READ, {"sector", lba}, {"status", status}) */
#define fail(error, ...) fail_with((error), (const struct fail_number[]){__VA_ARGS__, {0, 0}})

/* Print `bootimage: W<number> <text>`. */
void warn(enum warning_number warning);

#endif
