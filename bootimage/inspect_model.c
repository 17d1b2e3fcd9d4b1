/*
 * The plan and the layout of an image as a tree of JSON. Its keys are documented in bootimage(1):
 * they stay, and INSPECT_FORMAT changes when one of them gets another meaning.
 *
 * Addresses and checksums are texts in hexadecimal, as JSON's readers may keep no more than 53 bits
 * of a number; sizes, places and counts are numbers.
 */
#include "inspect.h"

#include "protocol.h"
#include "symbols.h"

#include "bootimage/bootinfo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define INSPECT_FORMAT 1

static json_t *hex(uint64_t value)
{
    return json_sprintf("0x%" PRIx64, value);
}

static json_t *hash(uint64_t value)
{
    return json_sprintf("0x%016" PRIx64, value);
}

static json_t *sum(uint32_t value)
{
    return json_sprintf("0x%08" PRIx32, value);
}

/* JSON is UTF-8, and a text that is not shows its bytes as messages do. */
static json_t *text(const char *raw)
{
    json_t *value = json_string(raw);

    if (value)
        return value;
    char *escaped = error_escape(raw);
    value = escaped ? json_string(escaped) : NULL;
    free(escaped);
    return value;
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static const struct plan_record *find(const struct inspection *inspection,
                                      const struct plan_record *previous,
                                      enum plan_record_type type)
{
    return plan_reader_find(inspection->plan, previous, type);
}

static json_t *protocol_of(const struct inspection *inspection, const struct plan_protocol *record)
{
    return json_pack("{s:o, s:s, s:o}", "number", number(record->protocol), "name",
                     protocol_name(record->protocol), "reason",
                     inspection->reason ? text(inspection->reason) : json_null());
}

static json_t *entry_of(const struct inspection *inspection, const struct plan_protocol *record)
{
    uint64_t offset = 0;
    const char *symbol = NULL;

    if (inspection->elf)
        symbol = symbols_find(inspection->elf, record->entry_vaddr - record->slide, &offset);
    return json_pack("{s:o, s:o, s:o}", "vaddr", hex(record->entry_vaddr), "symbol",
                     symbol ? text(symbol) : json_null(), "offset", number(symbol ? offset : 0));
}

static const char *rights_of(uint32_t rights)
{
    static const char *const names[] = {"r--", "rw-", "r-x", "rwx"};

    return names[rights & (PLAN_WRITABLE | PLAN_EXECUTABLE)];
}

/* The rights of a segment are those of its first page, which another segment may share. */
static const char *segment_rights(const struct inspection *inspection,
                                  const struct plan_segment *segment)
{
    const struct plan_record *record = NULL;

    while ((record = find(inspection, record, PLAN_MAPPING))) {
        const struct plan_mapping *mapping = (const void *)record;

        if (segment->vaddr - mapping->vaddr < mapping->bytes)
            return rights_of(mapping->rights);
    }
    return "---";
}

static json_t *segment_of(const struct inspection *inspection, const struct plan_segment *record)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "index", number(record->index), "vaddr",
                     hex(record->vaddr), "file_bytes", number(record->file_bytes), "rights",
                     segment_rights(inspection, record), "payload_offset",
                     number(record->payload_offset), "xxh64", hash(record->xxh64));
}

static json_t *mapping_of(const struct plan_mapping *record)
{
    return json_pack("{s:o, s:o, s:s}", "vaddr", hex(record->vaddr), "bytes", number(record->bytes),
                     "rights", rights_of(record->rights));
}

/* A kernel without paging moves as a whole, if at all. */
static json_t *region_of(const struct inspection *inspection, const struct plan_region *record)
{
    bool movable = record->flags & PLAN_REGION_MOVABLE || find(inspection, NULL, PLAN_EXTENT);
    bool anywhere = record->paddr == PLAN_PADDR_ANYWHERE;

    return json_pack("{s:o, s:o, s:o, s:b, s:[], s:[]}", "vaddr", hex(record->vaddr), "bytes",
                     number(record->bytes), "paddr", anywhere ? json_null() : hex(record->paddr),
                     "movable", movable, "segments", "mappings");
}

/* Segments and mappings belong to the region before them. */
static json_t *regions_of(const struct inspection *inspection)
{
    const struct plan_record *record = NULL;
    json_t *regions = json_array();
    json_t *region = NULL;
    int failed = 0;

    while ((record = plan_reader_next(inspection->plan, record))) {
        const void *body = record;

        if (record->type == PLAN_REGION) {
            region = region_of(inspection, body);
            failed |= json_array_append_new(regions, region);
        } else if (record->type == PLAN_SEGMENT) {
            failed |= json_array_append_new(json_object_get(region, "segments"),
                                            segment_of(inspection, body));
        } else if (record->type == PLAN_MAPPING) {
            failed |= json_array_append_new(json_object_get(region, "mappings"), mapping_of(body));
        }
    }
    if (!failed)
        return regions;
    json_decref(regions);
    return NULL;
}

static const char *request_name(uint32_t type)
{
    static const char *const names[] = {
        [BOOTINFO_REQUEST_CONTRACT] = "contract",
        [BOOTINFO_REQUEST_STACK] = "stack",
        [BOOTINFO_REQUEST_MEMORY] = "memory",
        [BOOTINFO_REQUEST_IDENTITY] = "identity",
        [BOOTINFO_REQUEST_MAP] = "map",
        [BOOTINFO_REQUEST_LEVELS] = "levels",
        [BOOTINFO_REQUEST_RECURSIVE] = "recursive",
        [BOOTINFO_REQUEST_FRAMEBUFFER] = "framebuffer",
        [BOOTINFO_REQUEST_CPUS] = "cpus",
        [BOOTINFO_REQUEST_KERNEL_FILE] = "kernel-file",
        [BOOTINFO_REQUEST_RANDOM_BASE] = "random-base",
        [BOOTINFO_REQUEST_BASE] = "base",
    };
    const char *name = type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;

    return name ? name : "unknown";
}

static json_t *request_of(const struct plan_request *record)
{
    uint32_t type = record->type & ~(uint32_t)BOOTINFO_REQUEST_OPTIONAL;

    return json_pack("{s:o, s:s, s:b, s:b, s:[o, o, o, o]}", "type", number(type), "name",
                     request_name(type), "optional",
                     (record->type & BOOTINFO_REQUEST_OPTIONAL) != 0, "met", record->met != 0,
                     "words", hex(record->words[0]), hex(record->words[1]), hex(record->words[2]),
                     hex(record->words[3]));
}

static json_t *module_of(const struct plan_module *record)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "name", text(record->text), "arguments",
                     text(record->text + record->name_bytes), "bytes", number(record->bytes),
                     "payload_offset", number(record->payload_offset), "xxh64", hash(record->xxh64),
                     "kernel_file", (record->flags & PLAN_MODULE_KERNEL_FILE) != 0);
}

static json_t *relocations_of(const struct plan_relocations *record)
{
    return json_pack("{s:o, s:o, s:s}", "vaddr", hex(record->vaddr), "bytes", number(record->bytes),
                     "form", record->form == PLAN_RELOCATIONS_RELA ? "rela" : "relr");
}

static json_t *tls_of(const struct plan_tls *record)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "vaddr", hex(record->vaddr), "file_bytes",
                     number(record->file_bytes), "memory_bytes", number(record->memory_bytes),
                     "align", number(record->align));
}

static json_t *random_base_of(const struct plan_random_base *record)
{
    return json_pack("{s:o, s:o}", "step_bytes", number(record->step_bytes), "places",
                     number(record->places));
}

/* All records of a type. */
static json_t *list_of(const struct inspection *inspection, enum plan_record_type type)
{
    const struct plan_record *record = NULL;
    json_t *list = json_array();
    int failed = 0;

    while ((record = find(inspection, record, type))) {
        const void *body = record;

        failed |= json_array_append_new(list, type == PLAN_MODULE    ? module_of(body)
                                              : type == PLAN_REQUEST ? request_of(body)
                                                                     : relocations_of(body));
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *command_line_of(const struct inspection *inspection)
{
    const struct plan_record *record = find(inspection, NULL, PLAN_COMMAND_LINE);

    return record ? text(((const struct plan_command_line *)(const void *)record)->text)
                  : json_null();
}

static json_t *disk_of(const struct inspection *inspection)
{
    const struct image_header *header = &inspection->header;
    uint64_t plan_sectors = (header->plan_bytes + IMAGE_SECTOR_BYTES - 1) / IMAGE_SECTOR_BYTES;
    uint64_t payload_lba = header->plan_lba + plan_sectors;
    uint32_t signature;

    memcpy(&signature, inspection->mbr.disk_signature, sizeof(signature));
    return json_pack(
        "{s:o, s:o, s:{s:i, s:o}, s:{s:o, s:o}, s:{s:o, s:o}, s:{s:o, s:o}}", "bytes",
        number(inspection->image_bytes), "signature", sum(signature), "loader", "lba", 0, "sectors",
        number(IMAGE_STAGE2_LBA + (uint64_t)header->stage2_sectors), "partition", "lba",
        number(header->plan_lba), "sectors", number(header->image_sectors - header->plan_lba),
        "plan", "lba", number(header->plan_lba), "bytes", number(header->plan_bytes), "payload",
        "lba", number(payload_lba), "sectors", number(header->image_sectors - payload_lba));
}

static json_t *checksums_of(const struct inspection *inspection)
{
    const struct image_header *header = &inspection->header;
    struct image_plan prefix;

    memcpy(&prefix, inspection->plan.start, sizeof(prefix));
    return json_pack("{s:o, s:o, s:o, s:o}", "image_id", hash(header->image_id), "header_crc32",
                     sum(header->crc32), "stage2_sum", sum(header->stage2_sum), "plan_xxh64",
                     hash(prefix.xxh64));
}

json_t *inspect_model(const struct inspection *inspection)
{
    const struct plan_protocol *protocol = (const void *)find(inspection, NULL, PLAN_PROTOCOL);
    const struct plan_tls *tls = (const void *)find(inspection, NULL, PLAN_TLS);
    const struct plan_random_base *random_base =
        (const void *)find(inspection, NULL, PLAN_RANDOM_BASE);

    return json_pack(
        "{s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "format", INSPECT_FORMAT, "file", text(inspection->path), "kind",
        inspection->is_image ? "image" : "kernel", "protocol", protocol_of(inspection, protocol),
        "entry", entry_of(inspection, protocol), "stack_bytes", number(protocol->stack_bytes),
        "slide", hex(protocol->slide), "random_base",
        random_base ? random_base_of(random_base) : json_null(), "regions", regions_of(inspection),
        "tls", tls ? tls_of(tls) : json_null(), "relocations",
        list_of(inspection, PLAN_RELOCATIONS), "requests", list_of(inspection, PLAN_REQUEST),
        "modules", list_of(inspection, PLAN_MODULE), "command_line", command_line_of(inspection),
        "disk", disk_of(inspection), "checksums", checksums_of(inspection));
}
