/*
 * Where a position-independent kernel is mapped.
 */
#ifndef BOOTIMAGE_BASE_H
#define BOOTIMAGE_BASE_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>

/* Moves all addresses in kernel to where it will be mapped, or to the first of the places that it
   may be mapped at by chance; kernel->slide and kernel->random tell. Does nothing to a kernel that
   is not position-independent. Its requests have been checked each by itself. */
bool base_choose(struct kernel *kernel, struct error *error);

#endif
