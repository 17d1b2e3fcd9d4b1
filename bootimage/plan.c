/*
 * Fourth step: placement, file bytes and command line become the records of bootimage/image.h.
 *
 * Pure: nothing is read but the kernel in memory, nothing is written but the plan. First all sizes
 * and offsets, then the records, then the hashes, which alone touch the kernel's bytes. image.c
 * writes it all to a file.
 */
#include "plan.h"

#include "placement.h"

#include "bootimage/image.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The structs of image.h are written as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

static uint64_t text_bytes(const struct plan_options *options)
{
    return options->command_line && *options->command_line ? strlen(options->command_line) + 1 : 0;
}

static uint64_t command_line_record_bytes(const struct plan_options *options)
{
    uint64_t bytes = text_bytes(options);

    return bytes ? round_up(sizeof(struct plan_command_line) + bytes, 8) : 0;
}

/* Where the parts lie: fills everything in plan but the contents of the records. */
static bool lay_out(struct plan *plan, const struct kernel *kernel,
                    const struct placement *placement, const struct plan_options *options,
                    struct error *error)
{
    uint64_t loader_sectors = options->loader_bytes / IMAGE_SECTOR_BYTES;
    uint64_t lba = round_up(loader_sectors, IMAGE_PARTITION_ALIGN_SECTORS);
    uint64_t offset;

    plan->loader = options->loader;
    plan->loader_bytes = options->loader_bytes;
    plan->plan_lba = lba > IMAGE_FIRST_PARTITION_LBA ? lba : IMAGE_FIRST_PARTITION_LBA;
    plan->records_bytes = sizeof(struct image_plan) + sizeof(struct plan_protocol) +
                          placement->region_count * sizeof(struct plan_region) +
                          kernel->segment_count * sizeof(struct plan_segment) +
                          placement->mapping_count * sizeof(struct plan_mapping) +
                          command_line_record_bytes(options);
    offset = round_up(plan->records_bytes, IMAGE_SECTOR_BYTES);
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (segment->file_bytes > UINT64_MAX / 2 - offset)
            return error_set(error, "%s: is too large for any disk; strip it", kernel->path);
        if (segment->file_bytes)
            plan->pieces[plan->piece_count++] = (struct plan_piece){
                .data = segment->data, .bytes = segment->file_bytes, .offset = offset};
        plan->payload_bytes += segment->file_bytes;
        offset = round_up(offset + segment->file_bytes, IMAGE_SECTOR_BYTES);
    }
    plan->partition_sectors = offset / IMAGE_SECTOR_BYTES;
    if (plan->partition_sectors > UINT32_MAX - plan->plan_lba)
        return error_set(error,
                         "%s: loads %" PRIu64 " bytes, but a partition table can describe no more "
                         "than 2 TiB; make its segments smaller",
                         kernel->path, plan->payload_bytes);
    plan->image_bytes = (plan->plan_lba + plan->partition_sectors) * IMAGE_SECTOR_BYTES;
    if (plan->image_bytes < IMAGE_MINIMUM_BYTES)
        plan->image_bytes = IMAGE_MINIMUM_BYTES;
    return true;
}

static struct plan_record required(enum plan_record_type type, uint64_t bytes)
{
    return (struct plan_record){
        .type = (uint16_t)type, .flags = PLAN_RECORD_REQUIRED, .bytes = (uint32_t)bytes};
}

/* Appends to the records. */
static uint8_t *put(uint8_t *end, const void *record, size_t bytes)
{
    memcpy(end, record, bytes);
    return end + bytes;
}

static uint8_t *put_region(uint8_t *end, const struct placement_region *region,
                           const struct protocol *protocol)
{
    struct plan_region record = {
        .record = required(PLAN_REGION, sizeof(record)),
        .vaddr = region->vaddr,
        .bytes = region->bytes,
        .paddr = region->paddr,
        .flags = protocol->region_flags,
    };

    return put(end, &record, sizeof(record));
}

static uint8_t *put_segment(uint8_t *end, const struct kernel_segment *segment, uint64_t offset)
{
    struct plan_segment record = {
        .record = required(PLAN_SEGMENT, sizeof(record)),
        .payload_offset = offset,
        .file_bytes = segment->file_bytes,
        .vaddr = segment->vaddr,
        .xxh64 = XXH64(segment->data, segment->file_bytes, 0),
        .index = segment->index,
    };

    return put(end, &record, sizeof(record));
}

static uint8_t *put_mapping(uint8_t *end, const struct placement_mapping *mapping)
{
    struct plan_mapping record = {
        .record = required(PLAN_MAPPING, sizeof(record)),
        .vaddr = mapping->vaddr,
        .bytes = mapping->bytes,
        .rights =
            (mapping->writable ? PLAN_WRITABLE : 0u) | (mapping->executable ? PLAN_EXECUTABLE : 0u),
    };

    return put(end, &record, sizeof(record));
}

/* The records are zeroed memory, so that the text ends and its padding is there. */
static void put_command_line(uint8_t *end, const struct plan_options *options)
{
    struct plan_command_line record = {
        .record = required(PLAN_COMMAND_LINE, command_line_record_bytes(options)),
        .text_bytes = text_bytes(options),
    };

    if (record.text_bytes) {
        end = put(end, &record, sizeof(record));
        put(end, options->command_line, record.text_bytes - 1);
    }
}

static void serialise(struct plan *plan, const struct kernel *kernel,
                      const struct placement *placement, const struct protocol *protocol,
                      const struct plan_options *options)
{
    struct plan_protocol entry = {
        .record = required(PLAN_PROTOCOL, sizeof(entry)),
        .protocol = protocol->number,
        .entry_vaddr = kernel->entry_vaddr,
        .stack_bytes = protocol->stack_bytes,
    };
    uint8_t *end = plan->records + sizeof(struct image_plan);
    uint64_t offset = round_up(plan->records_bytes, IMAGE_SECTOR_BYTES);

    end = put(end, &entry, sizeof(entry));
    for (size_t i = 0; i < placement->region_count; i++) {
        const struct placement_region *region = &placement->regions[i];

        end = put_region(end, region, protocol);
        for (size_t j = 0; j < region->segment_count; j++) {
            const struct kernel_segment *segment = &kernel->segments[region->first_segment + j];

            end = put_segment(end, segment, offset);
            offset = round_up(offset + segment->file_bytes, IMAGE_SECTOR_BYTES);
        }
        for (size_t j = 0; j < region->mapping_count; j++)
            end = put_mapping(end, &placement->mappings[region->first_mapping + j]);
    }
    put_command_line(end, options);
}

/* The image's id hashes all content: the loader and the plan, and by the segments' hashes in it the
   payload. Then the plan, id included, gets its own hash. */
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
    plan->image_id = XXH64_digest(state);
    XXH64_freeState(state);
    prefix.image_id = plan->image_id;
    memcpy(plan->records, &prefix, sizeof(prefix));
    prefix.xxh64 = XXH64(plan->records, plan->records_bytes, 0);
    memcpy(plan->records, &prefix, sizeof(prefix));
    return true;
}

bool plan_build(struct plan *plan, const struct kernel *kernel, const struct protocol *protocol,
                const struct plan_options *options, struct error *error)
{
    struct placement placement = {0};
    bool done = false;

    *plan = (struct plan){0};
    if (!protocol->validate(kernel, error) || !placement_build(&placement, kernel, error) ||
        !protocol->validate_placement(kernel, &placement, error))
        goto out;
    plan->pieces = calloc(kernel->segment_count, sizeof(*plan->pieces));
    if (!plan->pieces) {
        error_out_of_memory(error);
        goto out;
    }
    if (!lay_out(plan, kernel, &placement, options, error))
        goto out;
    plan->records = calloc(1, plan->records_bytes);
    if (!plan->records) {
        error_out_of_memory(error);
        goto out;
    }
    serialise(plan, kernel, &placement, protocol, options);
    done = seal(plan, error);
out:
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
