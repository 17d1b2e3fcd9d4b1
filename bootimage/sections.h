/*
 * The kernel's ELF sections, for protocols that hand them over: symbols and all that no segment
 * loads.
 */
#ifndef BOOTIMAGE_SECTIONS_H
#define BOOTIMAGE_SECTIONS_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>

/* Fills kernel->sections; leaves it empty where the file has no section headers, or some that make
   no sense: they are for information only. */
bool sections_read(struct kernel *kernel, struct error *error);

#endif
