/*
 * The project file, bootimage.ini.
 */
#ifndef BOOTIMAGE_CONFIG_H
#define BOOTIMAGE_CONFIG_H

#include "options.h"

#include <stdbool.h>

/* Finds the project file of options->command and options->file, unless options->config names it,
   and takes its keys as options. Having none is no failure. */
bool config_read(struct options *options, struct error *error);

#endif
