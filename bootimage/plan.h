/*
 * The plan: everything that can be known before the machine starts, as bootimage/image.h has it,
 * and where each part of the image lies.
 */
#ifndef BOOTIMAGE_PLAN_H
#define BOOTIMAGE_PLAN_H

#include "error.h"
#include "kernel.h"
#include "module.h"
#include "protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_options {
    const char *command_line;          /* UTF-8, or NULL */
    const struct module_list *modules; /* or NULL */
    const uint8_t *loader;             /* from LBA 0; the sector at IMAGE_HEADER_LBA is a gap */
    size_t loader_bytes;               /* a multiple of 512 */
    const uint8_t *esp;                /* the EFI system partition, or NULL */
    size_t esp_bytes;                  /* a multiple of 512 */
};

/* File bytes that go into the image as they are. */
struct plan_piece {
    struct input_piece source; /* not empty */
    uint64_t offset;           /* from the start of the partition, a multiple of 512 */
    uint64_t xxh64;            /* XXH64, seed 0, of the bytes */
};

struct plan {
    const uint8_t *loader;
    size_t loader_bytes;
    const uint8_t *esp; /* NULL: none */
    size_t esp_bytes;
    uint64_t esp_lba; /* 0: none */
    uint8_t *records; /* struct image_plan and what follows it */
    uint64_t records_bytes;
    struct plan_piece *pieces;
    size_t piece_count;
    uint64_t plan_lba;
    uint64_t partition_sectors;
    uint64_t payload_bytes; /* file bytes of all segments and modules */
    uint64_t image_bytes;   /* of the whole image file */
    uint64_t image_id;
};

/* Plans the image of kernel, which has to live as long as the plan, as the modules: their bytes are
   not copied. Written to
   the kernel is only which of its requests can be met, where it is mapped, and how it is relocated.
 */
bool plan_build(struct plan *plan, struct kernel *kernel, const struct protocol *protocol,
                const struct plan_options *options, struct error *error);

void plan_free(struct plan *plan);

#endif
