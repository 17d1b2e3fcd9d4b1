/*
 * What an image will do, or would: its plan and its layout, told as JSON or as text.
 *
 * inspect.c collects what is told of, inspect_model.c makes JSON of it, whose keys bootimage(1)
 * documents, and inspect_text.c makes the text from that: so both say the same.
 */
#ifndef BOOTIMAGE_INSPECT_H
#define BOOTIMAGE_INSPECT_H

#include "error.h"
#include "kernel.h"
#include "plan.h"
#include "plan_reader.h"

#include "bootimage/image.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* These two write to output. A failed write shows in output alone. */
bool inspect_kernel(const struct kernel *kernel, const struct plan *plan, const char *reason,
                    bool as_json, FILE *output, struct error *error);
bool inspect_image(const char *path, bool as_json, FILE *output, struct error *error);

/* What is told of: an image that would be made, or one that was. */
struct inspection {
    const char *path;
    bool is_image;
    const char *reason; /* by which the protocol was recognised; NULL: an image does not tell */
    struct image_mbr mbr;
    struct image_header header;
    uint64_t image_bytes;
    struct plan_view plan;
    struct Elf *elf; /* the kernel's; NULL: its symbols are not known */
};

/* A new reference, or NULL without memory. */
json_t *inspect_model(const struct inspection *inspection);

/* root is of inspect_model(). */
void inspect_print_text(const json_t *root, FILE *output);

#endif
