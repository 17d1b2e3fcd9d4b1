/*
 * Kernels that are entered with paging, in 64-bit mode: what all their protocols hold the file and
 * its virtual addresses to. physical.h has the others.
 */
#ifndef BOOTIMAGE_VIRTUAL_H
#define BOOTIMAGE_VIRTUAL_H

#include "error.h"
#include "kernel.h"
#include "placement.h"

#include <stdbool.h>

/* Machine, class and type of the ELF file. */
bool virtual_check_file(const struct kernel *kernel, struct error *error);

/* The segments where they will be mapped: canonical addresses, that no other segment has. */
bool virtual_check_segments(const struct kernel *kernel, struct error *error);

/* The kernel's entry lies in a segment that may be executed. */
bool virtual_check_entry(const struct kernel *kernel, struct error *error);

/* Warns of what is writable and executable. */
void virtual_warn_rights(const struct kernel *kernel, const struct placement *placement,
                         struct error *error);

#endif
