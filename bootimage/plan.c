/*
 * Fourth step: the plan, and the layout of the image.
 *
 * Nothing is written but the plan in memory. First all sizes and offsets, then the records
 * (plan_records.c) with the hashes, which alone read the bytes of the kernel and of its modules.
 * image.c writes it all to a file.
 */
#include "plan.h"

#include "plan_records.h"

#include "bootimage/image.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where the parts lie: fills everything in plan but the records and the pieces. */
static bool lay_out(struct plan *plan, const struct plan_source *source, struct error *error)
{
    struct plan_writer counter = {.plan = plan};
    uint64_t loader_sectors = source->options->loader_bytes / IMAGE_SECTOR_BYTES;
    uint64_t lba = loader_sectors;

    plan_records_put(&counter, source);
    plan->loader = source->options->loader;
    plan->loader_bytes = source->options->loader_bytes;
    if (lba < IMAGE_FIRST_PARTITION_LBA)
        lba = IMAGE_FIRST_PARTITION_LBA;
    lba = plan_round_up(lba, IMAGE_PARTITION_ALIGN_SECTORS);
    if (source->options->esp) {
        plan->esp = source->options->esp;
        plan->esp_bytes = source->options->esp_bytes;
        plan->esp_lba = lba;
        lba = plan_round_up(lba + plan->esp_bytes / IMAGE_SECTOR_BYTES,
                            IMAGE_PARTITION_ALIGN_SECTORS);
    }
    plan->plan_lba = lba;
    plan->records_bytes = counter.records_bytes;
    plan->piece_count = counter.piece_count;
    plan->payload_bytes = counter.payload_bytes;
    plan->partition_sectors =
        (plan_round_up(plan->records_bytes, IMAGE_SECTOR_BYTES) + counter.payload_offset) /
        IMAGE_SECTOR_BYTES;
    if (counter.payload_offset > PLAN_TOO_MANY_BYTES)
        return error_set(error, "%s: is too large for any disk; strip it [image-too-large]",
                         source->kernel->path);
    if (plan->partition_sectors > UINT32_MAX - plan->plan_lba)
        return error_set(error,
                         "%s: loads %" PRIu64 " bytes, but a partition table can describe no more "
                         "than 2 TiB; make its segments smaller [image-too-large]",
                         source->kernel->path, plan->payload_bytes);
    plan->image_bytes = (plan->plan_lba + plan->partition_sectors) * IMAGE_SECTOR_BYTES;
    if (plan->image_bytes < IMAGE_MINIMUM_BYTES)
        plan->image_bytes = IMAGE_MINIMUM_BYTES;
    return true;
}

static bool serialise(struct plan *plan, const struct plan_source *source, struct error *error)
{
    struct plan_writer writer = {
        .plan = plan,
        .payload_offset = plan_round_up(plan->records_bytes, IMAGE_SECTOR_BYTES),
        .error = error,
    };

    plan->records = calloc(1, plan->records_bytes);
    plan->pieces = calloc(plan->piece_count ? plan->piece_count : 1, sizeof(*plan->pieces));
    if (!plan->records || !plan->pieces)
        return error_out_of_memory(error);
    writer.records = plan->records;
    if (!input_reader_open(&writer.reader, error))
        return false;
    plan_records_put(&writer, source);
    input_reader_close(&writer.reader);
    return !writer.failed;
}

/* The image's id hashes all content: the loaders and the plan, and by the segments' hashes in it
   the payload. Then the plan, id included, gets its own hash. */
static bool seal(struct plan *plan, struct error *error)
{
    struct image_plan prefix = {
        .magic = IMAGE_PLAN_MAGIC,
        .format_version = IMAGE_FORMAT_VERSION,
        .plan_bytes = plan->records_bytes,
        .partition_bytes = plan->partition_sectors * IMAGE_SECTOR_BYTES,
    };
    XXH64_state_t *state = XXH64_createState();

    if (!state)
        return error_out_of_memory(error);
    memcpy(plan->records, &prefix, sizeof(prefix));
    XXH64_reset(state, 0);
    XXH64_update(state, plan->records, plan->records_bytes);
    XXH64_update(state, plan->loader, plan->loader_bytes);
    if (plan->esp)
        XXH64_update(state, plan->esp, plan->esp_bytes);
    plan->image_id = XXH64_digest(state);
    XXH64_freeState(state);
    prefix.image_id = plan->image_id;
    memcpy(plan->records, &prefix, sizeof(prefix));
    prefix.xxh64 = XXH64(plan->records, plan->records_bytes, 0);
    memcpy(plan->records, &prefix, sizeof(prefix));
    return true;
}

bool plan_build(struct plan *plan, struct kernel *kernel, const struct protocol *protocol,
                const struct plan_options *options, struct error *error)
{
    struct placement placement = {0};
    struct plan_source source = {kernel, &placement, protocol, options};

    *plan = (struct plan){0};
    if (!protocol->has_requests)
        kernel->request_count = 0;
    const struct protocol_extras extras = {options->command_line,
                                           options->modules ? options->modules->count : 0};
    bool done =
        protocol->validate(kernel, error) &&
        (!protocol->validate_options || protocol->validate_options(kernel, &extras, error)) &&
        placement_build(&placement, kernel, error) &&
        (!protocol->validate_placement ||
         protocol->validate_placement(kernel, &placement, error)) &&
        lay_out(plan, &source, error) && serialise(plan, &source, error) && seal(plan, error);
    placement_free(&placement);
    if (!done)
        plan_free(plan);
    return done;
}

void plan_free(struct plan *plan)
{
    free(plan->records);
    free(plan->pieces);
    *plan = (struct plan){0};
}
