/*
 * The records of a plan, one after another, and where their file bytes go in the payload.
 */
#ifndef BOOTIMAGE_PLAN_RECORDS_H
#define BOOTIMAGE_PLAN_RECORDS_H

#include "plan.h"

#include "placement.h"

/* What the records are made from. */
struct plan_source {
    const struct kernel *kernel;
    const struct placement *placement;
    const struct protocol *protocol;
    const struct plan_options *options;
};

/* Where the next record and the next file bytes go. The same functions run twice: first with no
   records to write to, to count, then to write; so no size can differ from what is written. */
struct plan_writer {
    struct plan *plan;
    uint8_t *records; /* NULL to count */
    uint64_t records_bytes;
    uint64_t payload_offset; /* from the start of the partition; while counting, of the payload */
    uint64_t payload_bytes;
    size_t piece_count;
    struct input_reader reader; /* while writing */
    struct error *error;
    bool failed;
};

/* Larger than any disk, and far from wrapping: a payload that goes on beyond it. */
#define PLAN_TOO_MANY_BYTES (UINT64_MAX / 4)

/* value, rounded up to a multiple of step. */
static inline uint64_t plan_round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

/* All records, in the order of the plan, behind what the writer has. */
void plan_records_put(struct plan_writer *writer, const struct plan_source *source);

#endif
