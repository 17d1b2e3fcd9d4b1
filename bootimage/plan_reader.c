/*
 * Checks the records of a plan as the loader would, and more: see bootimage/image.h, which says
 * what each has to hold. A plan whose hash is right fails here only if another program made it.
 */
#include "plan_reader.h"

#include "placement.h"

#include <inttypes.h>
#include <string.h>

/* What was seen so far. */
struct chain {
    struct plan_view plan;
    uint64_t partition_bytes;
    const struct plan_region *region; /* the latest; NULL: none yet */
    uint64_t segment_end;             /* offset in it where the next segment may begin */
    uint64_t mapping_end;
    unsigned int protocols;
    unsigned int command_lines;
    unsigned int tls;
    unsigned int random_bases;
};

static bool is_aligned(uint64_t value)
{
    return value % PLACEMENT_PAGE_BYTES == 0;
}

/* Does [vaddr, vaddr + bytes) lie in the region, at the offset *end or behind it? Moves *end. */
static bool advance(const struct plan_region *region, uint64_t *end, uint64_t vaddr, uint64_t bytes)
{
    uint64_t offset = region ? vaddr - region->vaddr : 0;

    if (!region || offset < *end || offset > region->bytes || bytes > region->bytes - offset)
        return false;
    *end = offset + bytes;
    return true;
}

static bool in_any_region(const struct chain *chain, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_record *record = NULL;

    while ((record = plan_reader_find(chain->plan, record, PLAN_REGION))) {
        uint64_t start = 0;

        if (advance((const struct plan_region *)record, &start, vaddr, bytes))
            return true;
    }
    return false;
}

static bool in_payload(const struct chain *chain, uint64_t offset, uint64_t bytes)
{
    if (bytes == 0)
        return true;
    return offset % IMAGE_SECTOR_BYTES == 0 && offset >= chain->plan.bytes &&
           offset <= chain->partition_bytes && bytes <= chain->partition_bytes - offset;
}

/* A text with the 0 at its end, as its only one. */
static bool is_text(const char *text, uint64_t bytes, uint64_t room)
{
    return bytes > 0 && bytes <= room && memchr(text, 0, bytes) == text + bytes - 1;
}

static bool check_protocol(struct chain *chain, const struct plan_protocol *record)
{
    return chain->protocols++ == 0 && is_aligned(record->stack_bytes) && record->stack_bytes > 0;
}

static bool check_region(struct chain *chain, const struct plan_region *record)
{
    chain->region = record;
    chain->segment_end = 0;
    chain->mapping_end = 0;
    return is_aligned(record->vaddr) && is_aligned(record->bytes) && record->bytes > 0 &&
           record->bytes - 1 <= UINT64_MAX - record->vaddr &&
           (record->paddr == PLAN_PADDR_ANYWHERE || is_aligned(record->paddr));
}

static bool check_segment(struct chain *chain, const struct plan_segment *record)
{
    return advance(chain->region, &chain->segment_end, record->vaddr, record->file_bytes) &&
           in_payload(chain, record->payload_offset, record->file_bytes);
}

static bool check_mapping(struct chain *chain, const struct plan_mapping *record)
{
    return is_aligned(record->vaddr) && is_aligned(record->bytes) && record->bytes > 0 &&
           advance(chain->region, &chain->mapping_end, record->vaddr, record->bytes);
}

static bool check_command_line(struct chain *chain, const struct plan_command_line *record)
{
    return chain->command_lines++ == 0 &&
           is_text(record->text, record->text_bytes, record->record.bytes - sizeof(*record));
}

static bool check_module(const struct chain *chain, const struct plan_module *record)
{
    uint64_t room = record->record.bytes - sizeof(*record);

    return in_payload(chain, record->payload_offset, record->bytes) &&
           is_text(record->text, record->name_bytes, room) &&
           is_text(record->text + record->name_bytes, record->arguments_bytes,
                   room - record->name_bytes);
}

static bool check_tls(struct chain *chain, const struct plan_tls *record)
{
    return chain->tls++ == 0 && record->file_bytes <= record->memory_bytes && record->align > 0 &&
           (record->align & (record->align - 1)) == 0 &&
           in_any_region(chain, record->vaddr, record->file_bytes);
}

static bool check_relocations(const struct chain *chain, const struct plan_relocations *record)
{
    return (record->form == PLAN_RELOCATIONS_RELA || record->form == PLAN_RELOCATIONS_RELR) &&
           in_any_region(chain, record->vaddr, record->bytes);
}

static bool check_random_base(struct chain *chain, const struct plan_random_base *record)
{
    return chain->random_bases++ == 0 && is_aligned(record->step_bytes) && record->step_bytes > 0 &&
           record->places > 0;
}

/* Sizes first: the other checks read the whole struct. */
static bool check_size(const struct plan_record *record, bool *known)
{
    *known = true;
    switch (record->type) {
    case PLAN_PROTOCOL:
        return record->bytes == sizeof(struct plan_protocol);
    case PLAN_REGION:
        return record->bytes == sizeof(struct plan_region);
    case PLAN_SEGMENT:
        return record->bytes == sizeof(struct plan_segment);
    case PLAN_MAPPING:
        return record->bytes == sizeof(struct plan_mapping);
    case PLAN_COMMAND_LINE:
        return record->bytes >= sizeof(struct plan_command_line);
    case PLAN_MODULE:
        return record->bytes >= sizeof(struct plan_module);
    case PLAN_REQUEST:
        return record->bytes == sizeof(struct plan_request);
    case PLAN_TLS:
        return record->bytes == sizeof(struct plan_tls);
    case PLAN_RELOCATIONS:
        return record->bytes == sizeof(struct plan_relocations);
    case PLAN_RANDOM_BASE:
        return record->bytes == sizeof(struct plan_random_base);
    default:
        *known = false;
        return true;
    }
}

/* Of a known type and the right size. */
static bool check_content(struct chain *chain, const void *record)
{
    switch (((const struct plan_record *)record)->type) {
    case PLAN_PROTOCOL:
        return check_protocol(chain, record);
    case PLAN_REGION:
        return check_region(chain, record);
    case PLAN_SEGMENT:
        return check_segment(chain, record);
    case PLAN_MAPPING:
        return check_mapping(chain, record);
    case PLAN_COMMAND_LINE:
        return check_command_line(chain, record);
    case PLAN_MODULE:
        return check_module(chain, record);
    case PLAN_TLS:
        return check_tls(chain, record);
    case PLAN_RELOCATIONS:
        return check_relocations(chain, record);
    case PLAN_RANDOM_BASE:
        return check_random_base(chain, record);
    default: /* PLAN_REQUEST: any words will do */
        return true;
    }
}

/* Whether all records are whole; then plan_reader_next() can walk them. */
static bool check_chain(struct plan_view plan, const char *path, struct error *error)
{
    for (uint64_t offset = sizeof(struct image_plan); offset < plan.bytes;) {
        const struct plan_record *record = (const void *)(plan.start + offset);
        uint64_t room = plan.bytes - offset;
        bool known;

        if (room < sizeof(*record) || record->bytes < sizeof(*record) || record->bytes > room ||
            record->bytes % 8 || !check_size(record, &known))
            return error_set(error,
                             "%s: the plan makes no sense: the record at its byte 0x%" PRIx64
                             " has no possible size; write the image anew [plan-record-size]",
                             path, offset);
        if (!known && record->flags & PLAN_RECORD_REQUIRED)
            return error_set(error,
                             "%s: the plan has a record of type %u at its byte 0x%" PRIx64
                             ", which this bootimage does not know; use the bootimage that made "
                             "it [plan-record-unknown]",
                             path, record->type, offset);
        offset += record->bytes;
    }
    return true;
}

bool plan_reader_check(struct plan_view plan, const char *path, struct error *error)
{
    struct image_plan prefix;
    const struct plan_record *record = NULL;

    memcpy(&prefix, plan.start, sizeof(prefix));
    struct chain chain = {.plan = plan, .partition_bytes = prefix.partition_bytes};
    if (!check_chain(plan, path, error))
        return false;
    while ((record = plan_reader_next(plan, record))) {
        if (!check_content(&chain, record))
            return error_set(error,
                             "%s: the plan makes no sense: the record of type %u at its byte "
                             "0x%" PRIx64 " contradicts the others; write the image anew "
                             "[plan-record]",
                             path, record->type, (uint64_t)((const uint8_t *)record - plan.start));
    }
    if (chain.protocols != 1)
        return error_set(error,
                         "%s: the plan makes no sense: it names no boot protocol; write the image "
                         "anew [plan-protocol]",
                         path);
    return true;
}

const struct plan_record *plan_reader_next(struct plan_view plan,
                                           const struct plan_record *previous)
{
    const uint8_t *next = plan.start + sizeof(struct image_plan);

    if (previous)
        next = (const uint8_t *)previous + previous->bytes;
    return next < plan.start + plan.bytes ? (const void *)next : NULL;
}

const struct plan_record *plan_reader_find(struct plan_view plan,
                                           const struct plan_record *previous,
                                           enum plan_record_type type)
{
    const struct plan_record *record = plan_reader_next(plan, previous);

    while (record && record->type != type)
        record = plan_reader_next(plan, record);
    return record;
}
