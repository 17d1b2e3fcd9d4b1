/*
 * An image is checked from its first byte to its last; the header goes first, as the rest is known
 * by it.
 *
 * Most bytes are either known (the loader, the partition table, padding) or covered by a checksum:
 * the loader by a sum in the header, the plan by its hash, each segment and module by a hash in the
 * plan. Stage 1 of another bootimage's loader is covered by the image's id alone.
 */
#include "verify.h"

#include "image.h"
#include "image_reader.h"

#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE2_OFFSET (IMAGE_STAGE2_LBA * IMAGE_SECTOR_BYTES)

struct verify {
    struct image_reader reader;
    const struct verify_loader *loader; /* of this bootimage; the one that the image has */
    uint8_t *stage2;                    /* of the image */
    size_t stage2_bytes;
    uint8_t *esp; /* of the image; NULL: it has none */
    size_t esp_bytes;
    bool own_loader;
};

/* A part of the payload that has a hash. */
struct part {
    uint64_t start; /* in the image */
    uint64_t bytes;
    uint64_t xxh64;
    const char *kind; /* "segment" or "module" */
    uint64_t number;
};

static bool read_stage2(struct verify *verify, struct error *error)
{
    const struct image_header *header = &verify->reader.header;

    verify->stage2_bytes = (size_t)header->stage2_sectors * IMAGE_SECTOR_BYTES;
    verify->stage2 = malloc(verify->stage2_bytes ? verify->stage2_bytes : 1);
    if (!verify->stage2)
        return error_out_of_memory(error);
    for (; verify->loader->bytes; verify->loader++) {
        verify->own_loader =
            STAGE2_OFFSET + verify->stage2_bytes == *verify->loader->byte_count &&
            header->stage2_sum ==
                checksum_words(verify->loader->bytes + STAGE2_OFFSET, verify->stage2_bytes);
        if (verify->own_loader)
            break;
    }
    return image_reader_read(&verify->reader, STAGE2_OFFSET, verify->stage2, verify->stage2_bytes,
                             error);
}

static bool read_esp(struct verify *verify, struct error *error)
{
    const struct image_header *header = &verify->reader.header;

    if (header->esp_lba == 0)
        return true;
    verify->esp_bytes = (size_t)header->esp_sectors * IMAGE_SECTOR_BYTES;
    verify->esp = malloc(verify->esp_bytes);
    if (!verify->esp)
        return error_out_of_memory(error);
    return image_reader_read(&verify->reader, (uint64_t)header->esp_lba * IMAGE_SECTOR_BYTES,
                             verify->esp, verify->esp_bytes, error);
}

static bool check_mbr(const struct verify *verify, struct error *error)
{
    const struct image_header *header = &verify->reader.header;
    struct plan plan = {
        .plan_lba = header->plan_lba,
        .partition_sectors = header->image_sectors - header->plan_lba,
        .esp_lba = header->esp_lba,
        .esp_bytes = (size_t)header->esp_sectors * IMAGE_SECTOR_BYTES,
        .image_id = header->image_id,
    };
    struct image_mbr mbr = verify->reader.mbr;

    if (verify->own_loader &&
        !image_reader_expect(&verify->reader, "stage 1 (LBA 0)", 0, verify->loader->bytes,
                             IMAGE_STAGE1_BYTES, error))
        return false;
    image_fill_mbr(&mbr, &plan);
    return image_reader_expect(&verify->reader, "the disk signature (LBA 0)",
                               offsetof(struct image_mbr, disk_signature), mbr.disk_signature,
                               sizeof(mbr.disk_signature) + sizeof(mbr.reserved), error) &&
           image_reader_expect(&verify->reader, "the partition table (LBA 0)",
                               offsetof(struct image_mbr, partitions), mbr.partitions,
                               sizeof(mbr.partitions), error) &&
           image_reader_expect(&verify->reader, "the boot signature (LBA 0)",
                               offsetof(struct image_mbr, boot_signature), mbr.boot_signature,
                               sizeof(mbr.boot_signature), error);
}

static bool check_stage2(const struct verify *verify, struct error *error)
{
    const struct image_reader *reader = &verify->reader;
    uint32_t expected = reader->header.stage2_sum;
    uint32_t sum = checksum_words(verify->stage2, verify->stage2_bytes);
    uint64_t end = STAGE2_OFFSET + verify->stage2_bytes;

    if (verify->own_loader) {
        if (!image_reader_expect(reader, "stage 2", STAGE2_OFFSET,
                                 verify->loader->bytes + STAGE2_OFFSET, verify->stage2_bytes,
                                 error))
            return false;
    } else if (sum != expected) {
        return error_set(
            error,
            "%s: stage 2 (bytes 0x%x to 0x%" PRIx64 ") is damaged: its sum is 0x%08" PRIx32
            ", but the header says 0x%08" PRIx32 "; write the image anew [image-checksum]",
            reader->path, STAGE2_OFFSET, end - 1, sum, expected);
    }
    uint64_t lba = reader->header.esp_lba ? reader->header.esp_lba : reader->header.plan_lba;
    return image_reader_expect(reader, "the padding behind the loader", end, NULL,
                               lba * IMAGE_SECTOR_BYTES - end, error);
}

static bool check_esp(const struct verify *verify, struct error *error)
{
    const struct image_reader *reader = &verify->reader;
    const struct image_header *header = &reader->header;
    uint64_t start = (uint64_t)header->esp_lba * IMAGE_SECTOR_BYTES;
    uint64_t end = start + verify->esp_bytes;
    uint64_t xxh64;

    if (!verify->esp)
        return true;
    xxh64 = XXH64(verify->esp, verify->esp_bytes, 0);
    if (xxh64 != header->esp_xxh64)
        return error_set(error,
                         "%s: the EFI system partition (bytes 0x%" PRIx64 " to 0x%" PRIx64
                         ") is damaged: its XXH64 is 0x%016" PRIx64
                         ", but the header says 0x%016" PRIx64
                         "; write the image anew [image-checksum]",
                         reader->path, start, end - 1, xxh64, header->esp_xxh64);
    return image_reader_expect(reader, "the padding behind the EFI system partition", end, NULL,
                               header->plan_lba * IMAGE_SECTOR_BYTES - end, error);
}

/* The id as plan.c made it: of the plan without id and hash, and of the loader before the image's
   own bytes were put into it. All but stage 1 was found sound before. */
static bool check_id(const struct verify *verify, struct error *error)
{
    const struct image_reader *reader = &verify->reader;
    uint8_t start[STAGE2_OFFSET] = {0};
    struct image_plan prefix;
    XXH64_state_t *state = XXH64_createState();

    if (!state)
        return error_out_of_memory(error);
    memcpy(&prefix, reader->plan, sizeof(prefix));
    prefix.image_id = 0;
    prefix.xxh64 = 0;
    memcpy(start, reader->mbr.stage1, sizeof(reader->mbr.stage1));
    XXH64_reset(state, 0);
    XXH64_update(state, &prefix, sizeof(prefix));
    XXH64_update(state, reader->plan + sizeof(prefix), reader->header.plan_bytes - sizeof(prefix));
    XXH64_update(state, start, sizeof(start));
    XXH64_update(state, verify->stage2, verify->stage2_bytes);
    if (verify->esp)
        XXH64_update(state, verify->esp, verify->esp_bytes);
    uint64_t id = XXH64_digest(state);
    XXH64_freeState(state);
    if (id == reader->header.image_id)
        return true;
    return error_set(error,
                     "%s: stage 1 (bytes 0x0 to 0x%x) is damaged: with it the image's id would be "
                     "0x%016" PRIx64 ", but the header says 0x%016" PRIx64
                     "; write the image anew [image-checksum]",
                     reader->path, IMAGE_STAGE1_BYTES - 1, id, reader->header.image_id);
}

static int compare_parts(const void *left, const void *right)
{
    const struct part *a = left;
    const struct part *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

/* What a record says of a place in the payload. False: it has none. Numbers modules. */
static bool part_of(const struct plan_record *record, uint64_t partition, size_t *modules,
                    struct part *part)
{
    const void *body = record;
    const struct plan_segment *segment = body;
    const struct plan_module *module = body;
    const struct plan_section_headers *headers = body;
    const struct plan_section *section = body;

    switch (record->type) {
    case PLAN_SEGMENT:
        *part = (struct part){partition + segment->payload_offset, segment->file_bytes,
                              segment->xxh64, "segment", segment->index};
        return true;
    case PLAN_MODULE:
        *part = (struct part){partition + module->payload_offset, module->bytes, module->xxh64,
                              "module", (*modules)++};
        return true;
    case PLAN_SECTION_HEADERS:
        *part = (struct part){partition + headers->payload_offset,
                              (uint64_t)headers->count * headers->header_bytes, headers->xxh64,
                              "section table", 0};
        return true;
    case PLAN_SECTION:
        *part = (struct part){partition + section->payload_offset, section->bytes, section->xxh64,
                              "section", section->index};
        return true;
    default:
        return false;
    }
}

/* All that lies in the payload, in the order of the image. NULL without memory. */
static struct part *list_parts(const struct verify *verify, struct verify_result *result,
                               size_t *count)
{
    struct plan_view plan = image_reader_plan(&verify->reader);
    uint64_t partition = verify->reader.header.plan_lba * IMAGE_SECTOR_BYTES;
    const struct plan_record *record = NULL;
    size_t records = 0, modules = 0;

    while ((record = plan_reader_next(plan, record))) {
        result->segment_count += record->type == PLAN_SEGMENT;
        result->module_count += record->type == PLAN_MODULE;
        records++;
    }
    struct part *parts = calloc(records + 1, sizeof(*parts));
    *count = 0;
    while (parts && (record = plan_reader_next(plan, record)))
        *count += part_of(record, partition, &modules, &parts[*count]);
    if (parts)
        qsort(parts, *count, sizeof(*parts), compare_parts);
    return parts;
}

static bool check_part(const struct image_reader *reader, const struct part *part,
                       struct error *error)
{
    uint64_t xxh64;

    if (!image_reader_hash(reader, part->start, part->bytes, &xxh64, error))
        return false;
    if (xxh64 == part->xxh64)
        return true;
    if (part->bytes == 0)
        return error_set(error,
                         "%s: the plan makes no sense: %s %" PRIu64 " is empty and has not its "
                         "hash; write the image anew [plan-empty-hash]",
                         reader->path, part->kind, part->number);
    return error_set(error,
                     "%s: %s %" PRIu64 " (bytes 0x%" PRIx64 " to 0x%" PRIx64
                     ") is damaged: its XXH64 is 0x%016" PRIx64 ", but the plan says 0x%016" PRIx64
                     "; write the image anew [image-checksum]",
                     reader->path, part->kind, part->number, part->start,
                     part->start + part->bytes - 1, xxh64, part->xxh64);
}

/* Each part and the padding before it, then all behind them. */
static bool check_payload(const struct verify *verify, const struct part *parts, size_t count,
                          struct error *error)
{
    const struct image_reader *reader = &verify->reader;
    const struct image_header *header = &reader->header;
    uint64_t place = header->plan_lba * IMAGE_SECTOR_BYTES + header->plan_bytes;
    char padding[64] = "the padding behind the plan";

    for (size_t i = 0; i < count; i++) {
        const struct part *part = &parts[i];

        if (part->bytes > 0 && part->start > place &&
            !image_reader_expect(reader, padding, place, NULL, part->start - place, error))
            return false;
        if (!check_part(reader, part, error))
            return false;
        if (part->bytes > 0 && part->start + part->bytes > place) {
            place = part->start + part->bytes;
            snprintf(padding, sizeof(padding), "the padding behind %s %" PRIu64, part->kind,
                     part->number);
        }
    }
    uint64_t end = header->image_sectors * IMAGE_SECTOR_BYTES;
    if (!image_reader_expect(reader, padding, place, NULL, end - place, error))
        return false;
    /* On a disk, this may already be another's. */
    return reader->is_disk || image_reader_expect(reader, "the padding behind the image", end, NULL,
                                                  image_reader_bytes(reader) - end, error);
}

static bool check_end(const struct image_reader *reader, struct error *error)
{
    if (reader->is_disk || reader->file_bytes == image_reader_bytes(reader))
        return true;
    return error_set(error,
                     "%s: has 0x%" PRIx64 " bytes, but its image ends at 0x%" PRIx64
                     "; write the image anew [image-longer]",
                     reader->path, reader->file_bytes, image_reader_bytes(reader));
}

static bool check_all(struct verify *verify, struct verify_result *result, struct error *error)
{
    if (!read_stage2(verify, error) || !read_esp(verify, error) || !check_mbr(verify, error) ||
        !check_stage2(verify, error) || !check_esp(verify, error) ||
        !image_reader_load_plan(&verify->reader, error) || !check_id(verify, error))
        return false;
    size_t count;
    struct part *parts = list_parts(verify, result, &count);
    if (!parts)
        return error_out_of_memory(error);
    bool done = check_payload(verify, parts, count, error) && check_end(&verify->reader, error);
    free(parts);
    result->checked_bytes = verify->reader.is_disk
                                ? verify->reader.header.image_sectors * IMAGE_SECTOR_BYTES
                                : image_reader_bytes(&verify->reader);
    result->own_loader = verify->own_loader;
    return done;
}

bool verify_image(const char *path, const struct verify_loader *loaders,
                  struct verify_result *result, struct error *error)
{
    struct verify verify = {.loader = loaders};

    *result = (struct verify_result){0};
    if (!image_reader_open(&verify.reader, path, error))
        return false;
    bool done = check_all(&verify, result, error);
    free(verify.stage2);
    free(verify.esp);
    image_reader_close(&verify.reader);
    return done;
}
