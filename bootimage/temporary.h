/*
 * Files that nobody else sees.
 */
#ifndef BOOTIMAGE_TEMPORARY_H
#define BOOTIMAGE_TEMPORARY_H

#include "error.h"

/* A file in TMPDIR or /tmp without a name, gone with its last user; -1 on failure. */
int temporary_file(struct error *error);

#endif
