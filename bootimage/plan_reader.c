/*
 * Checks the records of a plan as the loader would, and more: see bootimage/image.h, which says
 * what each has to hold. A plan whose hash is right fails here only if another program made it.
 */
#include "plan_reader.h"

#include "placement.h"
#include "request.h"

#include <inttypes.h>
#include <string.h>

/* What was seen so far. */
struct chain {
    struct plan_view plan;
    uint64_t partition_bytes;
    const struct plan_region *region; /* the latest; NULL: none yet */
    uint64_t segment_end;             /* offset in it where the next segment may begin */
    uint64_t mapping_end;
    uint32_t singles; /* bit n: there is a record of type n */
    bool has_kernel_file;
    uint32_t section_count;
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

static bool check_protocol(struct chain *chain, const void *body)
{
    const struct plan_protocol *record = body;

    (void)chain;
    return is_aligned(record->stack_bytes) && record->stack_bytes > 0 &&
           record->stack_bytes <= REQUEST_STACK_MAXIMUM;
}

/* Sorted, and without a page in common. */
static bool check_region(struct chain *chain, const void *body)
{
    const struct plan_region *record = body;
    const struct plan_region *last = chain->region;

    chain->region = record;
    chain->segment_end = 0;
    chain->mapping_end = 0;
    if (last && (record->vaddr < last->vaddr || record->vaddr - last->vaddr < last->bytes))
        return false;
    return is_aligned(record->vaddr) && is_aligned(record->bytes) && record->bytes > 0 &&
           record->bytes - 1 <= UINT64_MAX - record->vaddr &&
           (record->flags & ~(uint32_t)(PLAN_REGION_MOVABLE | PLAN_REGION_NOT_CLEARED)) == 0 &&
           (record->paddr == PLAN_PADDR_ANYWHERE || is_aligned(record->paddr));
}

static bool check_segment(struct chain *chain, const void *body)
{
    const struct plan_segment *record = body;

    return advance(chain->region, &chain->segment_end, record->vaddr, record->file_bytes) &&
           in_payload(chain, record->payload_offset, record->file_bytes);
}

static bool check_mapping(struct chain *chain, const void *body)
{
    const struct plan_mapping *record = body;

    return (record->rights & ~(uint32_t)(PLAN_WRITABLE | PLAN_EXECUTABLE)) == 0 &&
           is_aligned(record->vaddr) && is_aligned(record->bytes) && record->bytes > 0 &&
           advance(chain->region, &chain->mapping_end, record->vaddr, record->bytes);
}

static bool check_command_line(struct chain *chain, const void *body)
{
    const struct plan_command_line *record = body;

    (void)chain;
    return is_text(record->text, record->text_bytes, record->record.bytes - sizeof(*record));
}

static bool check_module(struct chain *chain, const void *body)
{
    const struct plan_module *record = body;
    uint64_t room = record->record.bytes - sizeof(*record);

    if (record->flags & PLAN_MODULE_KERNEL_FILE && chain->has_kernel_file)
        return false;
    chain->has_kernel_file |= (record->flags & PLAN_MODULE_KERNEL_FILE) != 0;
    return (record->flags & ~(uint32_t)PLAN_MODULE_KERNEL_FILE) == 0 &&
           in_payload(chain, record->payload_offset, record->bytes) &&
           is_text(record->text, record->name_bytes, room) &&
           is_text(record->text + record->name_bytes, record->arguments_bytes,
                   room - record->name_bytes);
}

static bool check_request(struct chain *chain, const void *body)
{
    const struct plan_request *record = body;

    (void)chain;
    return record->met <= 1;
}

static bool check_tls(struct chain *chain, const void *body)
{
    const struct plan_tls *record = body;

    return record->file_bytes <= record->memory_bytes && record->align > 0 &&
           (record->align & (record->align - 1)) == 0 &&
           in_any_region(chain, record->vaddr, record->file_bytes);
}

static bool check_relocations(struct chain *chain, const void *body)
{
    const struct plan_relocations *record = body;

    return (record->form == PLAN_RELOCATIONS_RELA || record->form == PLAN_RELOCATIONS_RELR) &&
           in_any_region(chain, record->vaddr, record->bytes);
}

static bool check_random_base(struct chain *chain, const void *body)
{
    const struct plan_random_base *record = body;

    (void)chain;
    return is_aligned(record->step_bytes) && record->step_bytes > 0 && record->places > 0;
}

static bool check_extent(struct chain *chain, const void *body)
{
    const struct plan_extent *record = body;

    (void)chain;
    return record->align > 0 && (record->align & (record->align - 1)) == 0 &&
           record->least_paddr <= record->most_paddr && record->most_paddr <= UINT32_MAX;
}

static bool check_section_headers(struct chain *chain, const void *body)
{
    const struct plan_section_headers *record = body;

    chain->section_count = record->count;
    return record->count > 0 && (record->header_bytes == 40 || record->header_bytes == 64) &&
           in_payload(chain, record->payload_offset,
                      (uint64_t)record->count * record->header_bytes);
}

static bool check_section(struct chain *chain, const void *body)
{
    const struct plan_section *record = body;

    return record->index < chain->section_count && record->bytes > 0 &&
           in_payload(chain, record->payload_offset, record->bytes);
}

static bool check_efi_entry(struct chain *chain, const void *body)
{
    const struct plan_efi_entry *entry = body;

    (void)chain;
    return entry->entry_paddr > 0;
}

static bool check_linux(struct chain *chain, const void *body)
{
    const struct plan_linux *linux_header = body;

    (void)chain;
    return linux_header->header_bytes >= 0x73 && linux_header->header_bytes <= 0x110 &&
           linux_header->header_bytes <= linux_header->record.bytes - sizeof(*linux_header);
}

static bool check_patches(struct chain *chain, const void *body)
{
    const struct plan_patches *patches = body;

    (void)chain;
    return patches->count > 0 &&
           patches->record.bytes ==
               sizeof(*patches) + (uint64_t)patches->count * sizeof(struct plan_patch);
}

static bool check_limine(struct chain *chain, const void *body)
{
    const struct plan_limine *limine = body;

    (void)chain;
    return limine->record.bytes ==
           sizeof(*limine) + (uint64_t)limine->count * sizeof(struct plan_limine_request);
}

static const struct kind {
    uint32_t bytes; /* of the record; at least, if more may follow */
    bool has_text;
    bool is_single;
    bool (*check)(struct chain *chain, const void *body);
} kinds[] = {
    [PLAN_PROTOCOL] = {sizeof(struct plan_protocol), false, true, check_protocol},
    [PLAN_REGION] = {sizeof(struct plan_region), false, false, check_region},
    [PLAN_SEGMENT] = {sizeof(struct plan_segment), false, false, check_segment},
    [PLAN_MAPPING] = {sizeof(struct plan_mapping), false, false, check_mapping},
    [PLAN_COMMAND_LINE] = {sizeof(struct plan_command_line), true, true, check_command_line},
    [PLAN_MODULE] = {sizeof(struct plan_module), true, false, check_module},
    [PLAN_REQUEST] = {sizeof(struct plan_request), false, false, check_request},
    [PLAN_TLS] = {sizeof(struct plan_tls), false, true, check_tls},
    [PLAN_RELOCATIONS] = {sizeof(struct plan_relocations), false, false, check_relocations},
    [PLAN_RANDOM_BASE] = {sizeof(struct plan_random_base), false, true, check_random_base},
    [PLAN_EXTENT] = {sizeof(struct plan_extent), false, true, check_extent},
    [PLAN_SECTION_HEADERS] = {sizeof(struct plan_section_headers), false, true,
                              check_section_headers},
    [PLAN_SECTION] = {sizeof(struct plan_section), false, false, check_section},
    [PLAN_EFI_ENTRY] = {sizeof(struct plan_efi_entry), false, true, check_efi_entry},
    [PLAN_LINUX] = {sizeof(struct plan_linux), true, true, check_linux},
    [PLAN_PATCHES] = {sizeof(struct plan_patches), true, false, check_patches},
    [PLAN_LIMINE] = {sizeof(struct plan_limine), true, true, check_limine},
};

/* NULL: this bootimage does not know the type. */
static const struct kind *kind_of(const struct plan_record *record)
{
    bool known = record->type < sizeof(kinds) / sizeof(kinds[0]) && kinds[record->type].check;

    return known ? &kinds[record->type] : NULL;
}

/* room: what is left of the plan. */
static bool check_size(const struct plan_record *record, uint64_t room)
{
    if (room < sizeof(*record) || record->bytes < sizeof(*record) || record->bytes > room ||
        record->bytes % 8)
        return false;
    const struct kind *kind = kind_of(record);
    return !kind || record->bytes == kind->bytes || (kind->has_text && record->bytes > kind->bytes);
}

/* Whether all records are whole; then plan_reader_next() can walk them. */
static bool check_chain(struct plan_view plan, const char *path, struct error *error)
{
    for (uint64_t offset = sizeof(struct image_plan); offset < plan.bytes;) {
        const struct plan_record *record = (const void *)(plan.start + offset);

        if (!check_size(record, plan.bytes - offset))
            return error_set(error,
                             "%s: the plan makes no sense: the record at its byte 0x%" PRIx64
                             " has no possible size; write the image anew [plan-record-size]",
                             path, offset);
        if (!kind_of(record) && record->flags & PLAN_RECORD_REQUIRED)
            return error_set(error,
                             "%s: the plan has a record of type %u at its byte 0x%" PRIx64
                             ", which this bootimage does not know; use the bootimage that made "
                             "it [plan-record-unknown]",
                             path, record->type, offset);
        offset += record->bytes;
    }
    return true;
}

static bool check_record(struct chain *chain, const struct plan_record *record)
{
    const struct kind *kind = kind_of(record);

    if (!kind)
        return true;
    if (kind->is_single && chain->singles & 1u << record->type)
        return false;
    chain->singles |= 1u << record->type;
    return kind->check(chain, record);
}

/* In an executable mapping; in a region where there are no mappings, as without paging. */
static bool is_entry_executable(struct plan_view plan)
{
    const struct plan_protocol *protocol =
        (const void *)plan_reader_find(plan, NULL, PLAN_PROTOCOL);
    const struct plan_record *record = NULL;

    if (protocol && !plan_reader_find(plan, NULL, PLAN_MAPPING))
        return in_any_region(&(struct chain){.plan = plan}, protocol->entry_vaddr, 1);
    while (protocol && (record = plan_reader_find(plan, record, PLAN_MAPPING))) {
        const struct plan_mapping *mapping = (const void *)record;

        if (mapping->rights & PLAN_EXECUTABLE &&
            protocol->entry_vaddr - mapping->vaddr < mapping->bytes)
            return true;
    }
    return false;
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
        if (!check_record(&chain, record))
            return error_set(error,
                             "%s: the plan makes no sense: the record of type %u at its byte "
                             "0x%" PRIx64 " contradicts the others; write the image anew "
                             "[plan-record]",
                             path, record->type, (uint64_t)((const uint8_t *)record - plan.start));
    }
    if (!is_entry_executable(plan))
        return error_set(error,
                         "%s: the plan makes no sense: it has no entry that is executable; write "
                         "the image anew [plan-entry]",
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
