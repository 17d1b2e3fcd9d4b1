/*
 * The image file: writes what plan.c laid out.
 */
#ifndef BOOTIMAGE_IMAGE_FILE_H
#define BOOTIMAGE_IMAGE_FILE_H

#include "error.h"
#include "plan.h"

#include <stdbool.h>

/* Writes the whole image to the empty file fd; path is for messages. Only data is written: the rest
   of the file stays a hole. */
bool image_write(const struct plan *plan, int fd, const char *path, struct error *error);

#endif
