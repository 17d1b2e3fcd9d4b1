/*
 * The image's header, LBA 1: where the front ends learn where the plan is.
 */
#ifndef BOOTLOADER_CORE_HEADER_H
#define BOOTLOADER_CORE_HEADER_H

#include <bootimage/image.h>

#include <stdbool.h>

/* Does it begin as a header does, whatever follows? */
bool header_is_there(const struct image_header *header);

/* Is it there and undamaged, and of this loader's format? */
bool header_is_sound(const struct image_header *header);

/* Fails when it is not. */
void header_check(const struct image_header *header);

#endif
