/*
 * The kernels of calls/, opened, and where things are in them.
 */
#ifndef TESTS_UNIT_RUN_CALLS_KERNEL_H
#define TESTS_UNIT_RUN_CALLS_KERNEL_H

#include "support.h"

#include "run/debuginfo.h"

#define CALLS_PATH_BYTES 4096

struct calls_kernel {
    char path[CALLS_PATH_BYTES];
    struct kernel kernel;
    struct debuginfo *debuginfo;
};

/* Of calls/meson.build. False if there is no such file, as for want of a compiler. */
bool calls_open(struct calls_kernel *calls, const char *name);
void calls_close(struct calls_kernel *calls);

/* The value of a symbol. */
uint64_t calls_symbol(const struct calls_kernel *calls, const char *name);

/* The only line of a source file that has this text in it. */
int calls_line(const char *file, const char *text);

#endif
