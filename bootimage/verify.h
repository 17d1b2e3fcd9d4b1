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

/* A loader that images have: LBA 0, a gap for the header, and stage 2 if it has one. */
struct verify_loader {
    const uint8_t *bytes; /* NULL: the end of the list */
    const size_t *byte_count;
};

/* Checks all of the image at path. Fails with the part that has the first wrong byte: by its place
   where the right byte is known, else by the checksum that covers it. loaders are those of
   this bootimage. */
bool verify_image(const char *path, const struct verify_loader *loaders,
                  struct verify_result *result, struct error *error);

#endif
