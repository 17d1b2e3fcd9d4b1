/*
 * What the unit tests of the tool share: cmocka with what it needs, and files of their own.
 */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "error.h"
#include "kernel.h"

#define SUPPORT_PATH_BYTES 64

/* A new empty file without a name, open for reading and writing. */
int support_temporary_file(void);

/* The open file as an input; path, which has to live as long, gets a name that leads to it. */
struct input support_input(int fd, char path[SUPPORT_PATH_BYTES]);

/* An x86-64 kernel of these segments, entered at the start of the first. Numbers the segments. */
struct kernel support_kernel(struct kernel_segment *segments, size_t count);

/* Fails unless error has just this text, and clears it. */
void support_assert_error(struct error *error, const char *text);

#endif
