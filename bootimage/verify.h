/*
 * Whether an image is whole, byte for byte.
 */
#ifndef BOOTIMAGE_VERIFY_H
#define BOOTIMAGE_VERIFY_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was found sound. */
struct verify_result {
    uint64_t checked_bytes; /* on a disk without the padding behind the image */
    size_t segment_count;   /* and modules: with a hash of their own */
    size_t module_count;
    bool own_loader; /* it is the loader of this bootimage, so that each byte of it is known */
};

/* Checks all of the image at path. Fails with the part that has the first wrong byte: by its place
   where the right byte is known, else by the checksum that covers it. loader is the one of this
   bootimage, as in struct plan. */
bool verify_image(const char *path, const uint8_t *loader, size_t loader_bytes,
                  struct verify_result *result, struct error *error);

#endif
