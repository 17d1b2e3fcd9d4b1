/*
 * The image file: writes what plan.c laid out.
 */
#ifndef BOOTIMAGE_IMAGE_FILE_H
#define BOOTIMAGE_IMAGE_FILE_H

#include "error.h"
#include "plan.h"

#include "bootimage/image.h"

#include <stdbool.h>

/* What of the master boot record depends on the image: all but the code of stage 1. Uses plan_lba,
   partition_sectors, esp_lba, esp_bytes and image_id of the plan alone. */
void image_fill_mbr(struct image_mbr *mbr, const struct plan *plan);

void image_fill_header(struct image_header *header, const struct plan *plan);

/* Writes the whole image to the empty file fd; path is for messages. Only data is written: the rest
   of the file stays a hole. */
bool image_write(const struct plan *plan, int fd, const char *path, struct error *error);

#endif
