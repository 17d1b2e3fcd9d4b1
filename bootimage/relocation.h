/*
 * What has to be patched in a kernel that is not mapped where it was linked.
 */
#ifndef BOOTIMAGE_RELOCATION_H
#define BOOTIMAGE_RELOCATION_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>

/* Fills kernel->relocations from its PT_DYNAMIC: the tables that the loader has to apply. Refuses
   all that it could not: libraries, and relocations that are more than the addition of the slide.
   The segments are sound, sorted, disjoint, and where they will be mapped. */
bool relocation_read(struct kernel *kernel, struct error *error);

#endif
