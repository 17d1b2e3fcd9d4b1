/*
 * Fourth step, its first half: kernel, placement, modules and options become records of
 * bootimage/image.h, each kind by one function. plan.c says how often, and where they go.
 */
#include "plan_records.h"

#include "request.h"

#include "bootimage/bootinfo.h"
#include "bootimage/image.h"

#include <string.h>

/* The structs of image.h are written as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

static void put(struct plan_writer *writer, const void *bytes, size_t count)
{
    if (writer->records && count > 0)
        memcpy(writer->records + writer->records_bytes, bytes, count);
    writer->records_bytes += count;
}

/* The records are zeroed memory, so that texts in them end and are padded. */
static void put_padding(struct plan_writer *writer)
{
    writer->records_bytes = plan_round_up(writer->records_bytes, 8);
}

/* What a place in the payload is told by: its offset in the partition and the XXH64 of its bytes.
 */
struct payload {
    uint64_t offset;
    uint64_t xxh64;
};

/* Appends file bytes to the payload, at the start of a sector. Only writing reads them, once. */
static struct payload put_payload(struct plan_writer *writer, struct input_piece source)
{
    struct payload payload = {.offset = writer->payload_offset};
    uint64_t bytes = source.bytes;
    bool too_many = bytes > PLAN_TOO_MANY_BYTES || writer->payload_offset > PLAN_TOO_MANY_BYTES;

    if (writer->records && !writer->failed)
        writer->failed = !input_hash(&writer->reader, source, &payload.xxh64, writer->error);
    if (bytes > 0 && writer->records)
        writer->plan->pieces[writer->piece_count] =
            (struct plan_piece){.source = source, .offset = payload.offset, .xxh64 = payload.xxh64};
    writer->piece_count += bytes > 0;
    writer->payload_bytes += too_many ? 0 : bytes;
    writer->payload_offset =
        too_many ? PLAN_TOO_MANY_BYTES + 1
                 : plan_round_up(writer->payload_offset + bytes, IMAGE_SECTOR_BYTES);
    return payload;
}

static struct plan_record required(enum plan_record_type type, uint64_t bytes)
{
    return (struct plan_record){
        .type = (uint16_t)type, .flags = PLAN_RECORD_REQUIRED, .bytes = (uint32_t)bytes};
}

static void put_protocol(struct plan_writer *writer, const struct plan_source *source)
{
    struct plan_protocol record = {
        .record = required(PLAN_PROTOCOL, sizeof(record)),
        .protocol = source->protocol->number,
        .entry_vaddr = source->kernel->entry_vaddr,
        .stack_bytes = request_stack_bytes(source->kernel),
        .slide = source->kernel->slide,
    };

    put(writer, &record, sizeof(record));
}

static void put_segment(struct plan_writer *writer, const struct plan_source *source,
                        const struct kernel_segment *segment)
{
    struct payload payload =
        put_payload(writer, (struct input_piece){&source->kernel->file, segment->file_offset,
                                                 segment->file_bytes});
    struct plan_segment record = {
        .record = required(PLAN_SEGMENT, sizeof(record)),
        .payload_offset = payload.offset,
        .file_bytes = segment->file_bytes,
        .vaddr = segment->vaddr,
        .xxh64 = payload.xxh64,
        .index = segment->index,
    };

    put(writer, &record, sizeof(record));
}

static void put_mapping(struct plan_writer *writer, const struct placement_mapping *mapping)
{
    struct plan_mapping record = {
        .record = required(PLAN_MAPPING, sizeof(record)),
        .vaddr = mapping->vaddr,
        .bytes = mapping->bytes,
        .rights =
            (mapping->writable ? PLAN_WRITABLE : 0u) | (mapping->executable ? PLAN_EXECUTABLE : 0u),
    };

    put(writer, &record, sizeof(record));
}

static void put_region(struct plan_writer *writer, const struct plan_source *source,
                       const struct placement_region *region)
{
    struct plan_region record = {
        .record = required(PLAN_REGION, sizeof(record)),
        .vaddr = region->vaddr,
        .bytes = region->bytes,
        .paddr = region->paddr,
        .flags = source->protocol->region_flags |
                 (source->kernel->keeps_memory ? PLAN_REGION_NOT_CLEARED : 0u),
    };

    put(writer, &record, sizeof(record));
    for (size_t i = 0; i < region->segment_count; i++)
        put_segment(writer, source, &source->kernel->segments[region->first_segment + i]);
    for (size_t i = 0; i < region->mapping_count && !source->kernel->physical; i++)
        put_mapping(writer, &source->placement->mappings[region->first_mapping + i]);
}

static void put_regions(struct plan_writer *writer, const struct plan_source *source)
{
    for (size_t i = 0; i < source->placement->region_count; i++)
        put_region(writer, source, &source->placement->regions[i]);
}

static void put_command_line(struct plan_writer *writer, const struct plan_source *source)
{
    const char *text = source->options->command_line;

    if (!text || !*text)
        return;
    struct plan_command_line record = {.text_bytes = strlen(text) + 1};
    record.record =
        required(PLAN_COMMAND_LINE, plan_round_up(sizeof(record) + record.text_bytes, 8));
    put(writer, &record, sizeof(record));
    put(writer, text, record.text_bytes);
    put_padding(writer);
}

static void put_module(struct plan_writer *writer, const struct input *file, const char *name,
                       const char *arguments, uint32_t flags)
{
    struct payload payload = put_payload(writer, (struct input_piece){file, 0, file->bytes});
    struct plan_module record = {
        .payload_offset = payload.offset,
        .bytes = file->bytes,
        .xxh64 = payload.xxh64,
        .flags = flags,
        .name_bytes = (uint32_t)strlen(name) + 1,
        .arguments_bytes = (uint32_t)strlen(arguments) + 1,
    };
    uint64_t text_bytes = (uint64_t)record.name_bytes + record.arguments_bytes;

    record.record = required(PLAN_MODULE, plan_round_up(sizeof(record) + text_bytes, 8));
    put(writer, &record, sizeof(record));
    put(writer, name, record.name_bytes);
    put(writer, arguments, record.arguments_bytes);
    put_padding(writer);
}

static void put_module_list(struct plan_writer *writer, const struct module_list *list)
{
    for (size_t i = 0; list && i < list->count; i++) {
        const struct module *module = &list->modules[i];

        put_module(writer, &module->file, module->name, module->arguments, 0);
    }
}

/* The kernel's file has no path, so that the image does not depend on where it was built. */
static void put_modules(struct plan_writer *writer, const struct plan_source *source)
{
    const struct kernel *kernel = source->kernel;

    put_module_list(writer, &kernel->modules);
    put_module_list(writer, source->options->modules);
    if (request_word(kernel, BOOTINFO_REQUEST_KERNEL_FILE, 0) == 1)
        put_module(writer, &kernel->file, kernel->file_name ? kernel->file_name : "", "",
                   PLAN_MODULE_KERNEL_FILE);
}

static void put_own_record(struct plan_writer *writer, const struct plan_source *source)
{
    const struct plan_record *record = source->kernel->own_record;

    if (record)
        put(writer, record, record->bytes);
}

static void put_extent(struct plan_writer *writer, const struct plan_source *source)
{
    const struct kernel_extent *extent = &source->kernel->extent;
    struct plan_extent record = {
        .record = required(PLAN_EXTENT, sizeof(record)),
        .least_paddr = extent->least_paddr,
        .most_paddr = extent->most_paddr,
        .align = extent->align,
        .preference = extent->preference,
    };

    if (extent->is_movable)
        put(writer, &record, sizeof(record));
}

static void put_efi_entry(struct plan_writer *writer, const struct plan_source *source)
{
    struct plan_efi_entry record = {
        .record = required(PLAN_EFI_ENTRY, sizeof(record)),
        .entry_paddr = source->kernel->efi_entry,
    };

    if (record.entry_paddr)
        put(writer, &record, sizeof(record));
}

static void put_section(struct plan_writer *writer, const struct plan_source *source,
                        const struct kernel_section *section)
{
    struct payload payload = put_payload(
        writer, (struct input_piece){&source->kernel->file, section->file_offset, section->bytes});
    struct plan_section record = {
        .record = required(PLAN_SECTION, sizeof(record)),
        .payload_offset = payload.offset,
        .bytes = section->bytes,
        .xxh64 = payload.xxh64,
        .index = section->index,
    };

    put(writer, &record, sizeof(record));
}

static void put_sections(struct plan_writer *writer, const struct plan_source *source)
{
    const struct kernel_sections *sections = &source->kernel->sections;
    uint64_t bytes = (uint64_t)sections->header_count * sections->header_bytes;

    if (bytes == 0)
        return;
    struct payload payload = put_payload(
        writer, (struct input_piece){&source->kernel->file, sections->headers_offset, bytes});
    struct plan_section_headers record = {
        .record = required(PLAN_SECTION_HEADERS, sizeof(record)),
        .payload_offset = payload.offset,
        .count = sections->header_count,
        .header_bytes = sections->header_bytes,
        .xxh64 = payload.xxh64,
        .names_index = sections->names_index,
    };

    put(writer, &record, sizeof(record));
    for (size_t i = 0; i < sections->loaded_count; i++)
        put_section(writer, source, &sections->loaded[i]);
}

static void put_requests(struct plan_writer *writer, const struct plan_source *source)
{
    for (size_t i = 0; i < source->kernel->request_count; i++) {
        const struct kernel_request *request = &source->kernel->requests[i];
        struct plan_request record = {
            .record = required(PLAN_REQUEST, sizeof(record)),
            .type = request->type,
            .met = request->met,
        };

        memcpy(record.words, request->words, sizeof(record.words));
        put(writer, &record, sizeof(record));
    }
}

static void put_tls(struct plan_writer *writer, const struct plan_source *source)
{
    const struct kernel_tls *tls = &source->kernel->tls;
    struct plan_tls record = {
        .record = required(PLAN_TLS, sizeof(record)),
        .vaddr = tls->vaddr,
        .file_bytes = tls->file_bytes,
        .memory_bytes = tls->memory_bytes,
        .align = tls->align,
    };

    if (tls->memory_bytes)
        put(writer, &record, sizeof(record));
}

static void put_relocations(struct plan_writer *writer, const struct plan_source *source)
{
    for (size_t i = 0; i < source->kernel->relocation_count; i++) {
        const struct kernel_relocations *relocations = &source->kernel->relocations[i];
        struct plan_relocations record = {
            .record = required(PLAN_RELOCATIONS, sizeof(record)),
            .vaddr = relocations->vaddr,
            .bytes = relocations->bytes,
            .form = relocations->form,
        };

        put(writer, &record, sizeof(record));
    }
}

/* One record for those that move with the kernel, one for the others. */
static void put_patches(struct plan_writer *writer, const struct plan_source *source, bool absolute)
{
    const struct kernel *kernel = source->kernel;
    struct plan_patches record = {.flags = absolute ? PLAN_PATCHES_ABSOLUTE : 0u};

    for (size_t i = 0; i < kernel->patch_count; i++)
        record.count += kernel->patches[i].is_absolute == absolute;
    if (record.count == 0)
        return;
    record.record =
        required(PLAN_PATCHES, sizeof(record) + record.count * sizeof(struct plan_patch));
    put(writer, &record, sizeof(record));
    for (size_t i = 0; i < kernel->patch_count; i++) {
        const struct kernel_patch *patch = &kernel->patches[i];

        if (patch->is_absolute == absolute)
            put(writer, &(struct plan_patch){patch->vaddr, patch->value},
                sizeof(struct plan_patch));
    }
}

static void put_random_base(struct plan_writer *writer, const struct plan_source *source)
{
    struct plan_random_base record = {
        .record = required(PLAN_RANDOM_BASE, sizeof(record)),
        .step_bytes = source->kernel->random.step_bytes,
        .places = source->kernel->random.places,
    };

    if (record.places)
        put(writer, &record, sizeof(record));
}

/* All records, in the order of the plan: a new kind is one line here. */
void plan_records_put(struct plan_writer *writer, const struct plan_source *source)
{
    put(writer, &(struct image_plan){0}, sizeof(struct image_plan));
    put_protocol(writer, source);
    put_regions(writer, source);
    put_command_line(writer, source);
    put_modules(writer, source);
    put_requests(writer, source);
    put_own_record(writer, source);
    put_extent(writer, source);
    put_efi_entry(writer, source);
    put_sections(writer, source);
    put_tls(writer, source);
    put_relocations(writer, source);
    put_patches(writer, source, false);
    put_patches(writer, source, true);
    put_random_base(writer, source);
}
