/*
 * The records of a plan, from an image or just planned: walks them, and checks that they are sound.
 */
#ifndef BOOTIMAGE_PLAN_READER_H
#define BOOTIMAGE_PLAN_READER_H

#include "error.h"

#include "bootimage/image.h"

#include <stdbool.h>
#include <stdint.h>

/* A plan in memory, aligned to 8: struct image_plan and the records behind it. */
struct plan_view {
    const uint8_t *start;
    uint64_t bytes;
};

/* Whether each record is whole, of a size that its type has, and speaks only of what is there. Of
   the prefix only partition_bytes is used, and has to be right. path is for messages. */
bool plan_reader_check(struct plan_view plan, const char *path, struct error *error);

/* The record behind previous, or the first one for NULL; NULL at the end. For a checked plan. */
const struct plan_record *plan_reader_next(struct plan_view plan,
                                           const struct plan_record *previous);

/* As plan_reader_next(), but only records of this type. */
const struct plan_record *plan_reader_find(struct plan_view plan,
                                           const struct plan_record *previous,
                                           enum plan_record_type type);

#endif
