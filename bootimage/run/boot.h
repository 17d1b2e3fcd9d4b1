/*
 * The commands run and test: a kernel or an image, booted and watched.
 */
#ifndef BOOTIMAGE_RUN_BOOT_H
#define BOOTIMAGE_RUN_BOOT_H

#include "error.h"
#include "kernel.h"
#include "options.h"
#include "plan.h"

#include <stdbool.h>
#include <stdio.h>

/* Where words go, and what becomes of the run. */
struct boot {
    const struct options *options;
    const char *default_image; /* the name of the image that would be made */
    FILE *output, *errors;
    int status; /* the command's exit status, once it is known */
};

/* Boots a temporary image of a kernel. */
bool boot_kernel(struct boot *boot, const struct kernel *kernel, const struct plan *plan,
                 struct error *error);

/* Boots the image that the options name, which stays as it is. */
bool boot_image(struct boot *boot, struct error *error);

#endif
