/*
 * An image as inspect and verify read it: nothing in it is believed before it was checked.
 *
 * image_reader_open() checks the file and the header, image_reader_load_plan() the plan; what they
 * let pass lies inside the image. Messages name the part and the first wrong byte, where it is
 * known what the byte has to be, else what a checksum covers.
 */
#ifndef BOOTIMAGE_IMAGE_READER_H
#define BOOTIMAGE_IMAGE_READER_H

#include "error.h"
#include "plan_reader.h"

#include "bootimage/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_reader {
    const char *path;
    int fd;
    uint64_t file_bytes;
    bool is_disk; /* a block device, which may be larger than the image */
    struct image_mbr mbr;
    struct image_header header;
    uint8_t *plan; /* header.plan_bytes; NULL until it is loaded */
};

/* Whether the file at path looks like an image, perhaps a damaged one. */
bool image_reader_recognise(const char *path);

/* On failure nothing is left to close. */
bool image_reader_open(struct image_reader *reader, const char *path, struct error *error);

/* After this, image_reader_plan() can be read. */
bool image_reader_load_plan(struct image_reader *reader, struct error *error);

struct plan_view image_reader_plan(const struct image_reader *reader);

/* Where the image ends, padding included. */
uint64_t image_reader_bytes(const struct image_reader *reader);

/* Reads all of these bytes, or fails. */
bool image_reader_read(const struct image_reader *reader, uint64_t offset, void *data, size_t bytes,
                       struct error *error);

/* Whether the bytes from offset on are these, or all 0 if expected is NULL. part is for messages.
 */
bool image_reader_expect(const struct image_reader *reader, const char *part, uint64_t offset,
                         const void *expected, uint64_t bytes, struct error *error);

/* XXH64, seed 0, of some bytes. */
bool image_reader_hash(const struct image_reader *reader, uint64_t offset, uint64_t bytes,
                       uint64_t *xxh64, struct error *error);

void image_reader_close(struct image_reader *reader);

#endif
