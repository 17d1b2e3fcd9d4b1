/*
 * See plan_builder.h.
 */
#include "plan_builder.h"

#include "fake_firmware.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DISK_BYTES 0x1000000u

static _Alignas(4096) uint8_t disk[DISK_BYTES];

void builder_start(struct plan_builder *builder)
{
    memset(disk, 0, sizeof(disk));
    builder->partition = disk + BUILDER_PLAN_LBA * IMAGE_SECTOR_BYTES;
    builder->prefix = (void *)builder->partition;
    builder->payload_end = BUILDER_PAYLOAD_OFFSET;
    *builder->prefix = (struct image_plan){
        .format_version = IMAGE_FORMAT_VERSION,
        .image_id = BUILDER_IMAGE_ID,
        .plan_bytes = sizeof(*builder->prefix),
    };
    memcpy(builder->prefix->magic, IMAGE_PLAN_MAGIC, sizeof(builder->prefix->magic));
}

void *builder_add(struct plan_builder *builder, uint16_t type, uint32_t bytes)
{
    struct plan_record *record = (void *)(builder->partition + builder->prefix->plan_bytes);

    builder->prefix->plan_bytes += bytes;
    if (builder->prefix->plan_bytes > BUILDER_PAYLOAD_OFFSET)
        abort();
    *record = (struct plan_record){type, PLAN_RECORD_REQUIRED, bytes};
    return record;
}

struct plan_protocol *builder_protocol(struct plan_builder *builder, uint64_t entry_vaddr)
{
    struct plan_protocol *protocol = builder_add(builder, PLAN_PROTOCOL, sizeof(*protocol));

    protocol->protocol = PLAN_PROTOCOL_PLAIN;
    protocol->entry_vaddr = entry_vaddr;
    protocol->stack_bytes = BUILDER_STACK_BYTES;
    return protocol;
}

struct plan_region *builder_region(struct plan_builder *builder, uint64_t vaddr, uint64_t bytes,
                                   uint64_t paddr)
{
    struct plan_region *region = builder_add(builder, PLAN_REGION, sizeof(*region));

    region->vaddr = vaddr;
    region->bytes = bytes;
    region->paddr = paddr;
    region->flags = PLAN_REGION_MOVABLE;
    return region;
}

/* Returns the offset. */
static uint64_t add_payload(struct plan_builder *builder, const void *data, uint64_t bytes)
{
    uint64_t offset = builder->payload_end;

    builder->payload_end +=
        (bytes + IMAGE_SECTOR_BYTES - 1) / IMAGE_SECTOR_BYTES * IMAGE_SECTOR_BYTES;
    if (BUILDER_PLAN_LBA * IMAGE_SECTOR_BYTES + builder->payload_end > sizeof(disk))
        abort();
    memcpy(builder->partition + offset, data, bytes);
    return offset;
}

struct plan_segment *builder_segment(struct plan_builder *builder, uint64_t vaddr, const void *data,
                                     uint64_t bytes)
{
    static uint32_t index;
    struct plan_segment *segment = builder_add(builder, PLAN_SEGMENT, sizeof(*segment));

    segment->payload_offset = add_payload(builder, data, bytes);
    segment->file_bytes = bytes;
    segment->vaddr = vaddr;
    segment->xxh64 = XXH64(data, bytes, 0);
    segment->index = index++;
    return segment;
}

struct plan_mapping *builder_mapping(struct plan_builder *builder, uint64_t vaddr, uint64_t bytes,
                                     uint32_t rights)
{
    struct plan_mapping *mapping = builder_add(builder, PLAN_MAPPING, sizeof(*mapping));

    mapping->vaddr = vaddr;
    mapping->bytes = bytes;
    mapping->rights = rights;
    return mapping;
}

struct plan_command_line *builder_command_line(struct plan_builder *builder, const char *text)
{
    uint64_t text_bytes = strlen(text) + 1;
    uint64_t bytes = sizeof(struct plan_command_line) + (text_bytes + 7) / 8 * 8;
    struct plan_command_line *line = builder_add(builder, PLAN_COMMAND_LINE, (uint32_t)bytes);

    line->text_bytes = text_bytes;
    memcpy(line->text, text, text_bytes);
    return line;
}

struct plan_module *builder_module(struct plan_builder *builder, const char *name,
                                   const char *arguments, const void *data, uint64_t bytes)
{
    uint32_t name_bytes = (uint32_t)strlen(name) + 1;
    uint32_t arguments_bytes = (uint32_t)strlen(arguments) + 1;
    uint32_t text_bytes = (name_bytes + arguments_bytes + 7) / 8 * 8;
    struct plan_module *module =
        builder_add(builder, PLAN_MODULE, (uint32_t)sizeof(*module) + text_bytes);

    module->payload_offset = add_payload(builder, data, bytes);
    module->bytes = bytes;
    module->xxh64 = XXH64(data, bytes, 0);
    module->name_bytes = name_bytes;
    module->arguments_bytes = arguments_bytes;
    memcpy(module->text, name, name_bytes);
    memcpy(module->text + name_bytes, arguments, arguments_bytes);
    return module;
}

struct plan_request *builder_request(struct plan_builder *builder, uint32_t type, uint64_t word0,
                                     uint64_t word1, uint64_t word2, uint64_t word3)
{
    struct plan_request *request = builder_add(builder, PLAN_REQUEST, sizeof(*request));
    const uint64_t words[] = {word0, word1, word2, word3};

    request->type = type;
    request->met = 1;
    memcpy(request->words, words, sizeof(words));
    return request;
}

struct plan_tls *builder_tls(struct plan_builder *builder, uint64_t vaddr, uint64_t file_bytes)
{
    struct plan_tls *tls = builder_add(builder, PLAN_TLS, sizeof(*tls));

    tls->vaddr = vaddr;
    tls->file_bytes = file_bytes;
    tls->memory_bytes = file_bytes;
    tls->align = 1;
    return tls;
}

void builder_finish(struct plan_builder *builder)
{
    builder->prefix->partition_bytes = builder->payload_end;
    builder_sum(builder);
    fake_firmware.disk = disk;
    fake_firmware.disk_bytes = BUILDER_PLAN_LBA * IMAGE_SECTOR_BYTES + builder->payload_end;
}

void builder_sum(struct plan_builder *builder)
{
    uint64_t bytes = builder->prefix->plan_bytes;

    builder->prefix->xxh64 = 0;
    builder->prefix->xxh64 = XXH64(builder->partition, bytes, 0);
}

struct firmware_boot builder_boot(const struct plan_builder *builder)
{
    return (struct firmware_boot){
        .plan_lba = BUILDER_PLAN_LBA,
        .plan_bytes = builder->prefix->plan_bytes,
        .image_id = BUILDER_IMAGE_ID,
        .boot_drive = 0x81,
        .disk_signature = 0xcafef00d,
        .tsc_stage1 = 0x1111,
        .tsc_stage2 = 0x2222,
    };
}

struct plan_limine *builder_limine(struct plan_builder *builder, uint32_t base_revision,
                                   uint32_t count)
{
    struct plan_limine *limine =
        builder_add(builder, PLAN_LIMINE,
                    (uint32_t)(sizeof(*limine) + count * sizeof(struct plan_limine_request)));

    limine->base_revision = base_revision;
    limine->count = count;
    return limine;
}

static void add_sections(struct plan_builder *builder)
{
    static const uint8_t headers[3 * 40] = {1}, names[] = "\0.text\0.shstrtab";
    struct plan_section_headers *record =
        builder_add(builder, PLAN_SECTION_HEADERS, sizeof(*record));

    record->payload_offset = add_payload(builder, headers, sizeof(headers));
    record->xxh64 = XXH64(headers, sizeof(headers), 0);
    record->count = 3;
    record->header_bytes = 40;
    record->names_index = 2;
    struct plan_section *section = builder_add(builder, PLAN_SECTION, sizeof(*section));
    section->payload_offset = add_payload(builder, names, sizeof(names));
    section->xxh64 = XXH64(names, sizeof(names), 0);
    section->bytes = sizeof(names);
    section->index = 2;
}

void builder_physical(struct plan_builder *builder, uint32_t protocol)
{
    static const uint8_t data[0x1800] = {1, 2, 3};
    const uint64_t paddr = BUILDER_PHYSICAL_PADDR;

    builder_protocol(builder, paddr + 0x10)->protocol = protocol;
    builder_region(builder, paddr, 0x3000, paddr)->flags = 0;
    builder_segment(builder, paddr, data, sizeof(data));
    builder_region(builder, paddr + 0x200000, 0x1000, paddr + 0x200000)->flags = 0;
    builder_segment(builder, paddr + 0x200800, data, 0x10);
    builder_command_line(builder, "one two");
    builder_module(builder, "first", "with arguments", data, 0x1234);
    builder_module(builder, "second", "", data, 0);
    add_sections(builder);
    if (protocol == PLAN_PROTOCOL_LINUX) {
        struct plan_linux *linux_header =
            builder_add(builder, PLAN_LINUX, sizeof(*linux_header) + 128);

        linux_header->header_bytes = 0x7b;
    }
}
