/*
 * The load plan, from the disk to a chain of records that can be trusted. A damaged disk is found
 * by the checksum; the checks of single records are for a tool of another version, or with a
 * defect.
 */
#include "plan.h"

#include "checksum.h"
#include "firmware.h"
#include "log.h"
#include "memory_map.h"

#include <string.h>

#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull

/* What the checks of the records have seen so far. */
struct chain {
    const struct plan *plan;
    const struct plan_region *region; /* the latest; NULL: none yet */
    uint64_t segment_end;             /* offset in it where the next segment may begin */
    uint64_t mapping_end;             /* as segment_end */
    unsigned int protocols;
    unsigned int command_lines;
};

struct plan_record *plan_next(const struct plan *plan, const struct plan_record *previous)
{
    uint8_t *start = (uint8_t *)plan->prefix;
    uint8_t *at = start + sizeof(*plan->prefix);

    if (previous)
        at = start + ((const uint8_t *)previous - start) + previous->bytes;
    return at < start + plan->prefix->plan_bytes ? (struct plan_record *)(void *)at : NULL;
}

struct plan_record *plan_find(const struct plan *plan, const struct plan_record *previous,
                              enum plan_record_type type)
{
    struct plan_record *record = plan_next(plan, previous);

    while (record && record->type != type)
        record = plan_next(plan, record);
    return record;
}

static bool is_aligned(uint64_t value)
{
    return value % MEMORY_PAGE_BYTES == 0;
}

/* Does [vaddr, vaddr + bytes) lie in the latest region, at the offset *end or behind it? Moves
 *end. Offsets, as the region may end with the address space, where addresses wrap. */
static bool advance(const struct chain *chain, uint64_t *end, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_region *region = chain->region;

    if (!region)
        return false;
    uint64_t offset = vaddr - region->vaddr;
    if (offset < *end || offset > region->bytes || bytes > region->bytes - offset)
        return false;
    *end = offset + bytes;
    return true;
}

static bool check_protocol(struct chain *chain, const struct plan_protocol *protocol)
{
    return chain->protocols++ == 0 && is_aligned(protocol->stack_bytes) &&
           protocol->stack_bytes > 0;
}

static bool check_region(struct chain *chain, const struct plan_region *region)
{
    chain->region = region;
    chain->segment_end = 0;
    chain->mapping_end = 0;
    if (!is_aligned(region->vaddr) || !is_aligned(region->bytes) || region->bytes == 0 ||
        region->bytes - 1 > UINT64_MAX - region->vaddr)
        return false;
    if (region->paddr < ONE_MIB)
        fail(ERROR_PLAN_UNKNOWN, {"region at", region->paddr}); /* the firmware and this code */
    return region->paddr == PLAN_PADDR_ANYWHERE ||
           (is_aligned(region->paddr) && region->paddr < FOUR_GIB &&
            region->bytes <= FOUR_GIB - region->paddr);
}

static bool check_segment(struct chain *chain, const struct plan_segment *segment)
{
    uint64_t partition_bytes = chain->plan->prefix->partition_bytes;

    return advance(chain, &chain->segment_end, segment->vaddr, segment->file_bytes) &&
           segment->payload_offset % IMAGE_SECTOR_BYTES == 0 &&
           segment->payload_offset <= partition_bytes &&
           segment->file_bytes <= partition_bytes - segment->payload_offset;
}

static bool check_mapping(struct chain *chain, const struct plan_mapping *mapping)
{
    return is_aligned(mapping->vaddr) && is_aligned(mapping->bytes) && mapping->bytes > 0 &&
           advance(chain, &chain->mapping_end, mapping->vaddr, mapping->bytes);
}

static bool check_command_line(struct chain *chain, const struct plan_command_line *line)
{
    uint64_t room = line->record.bytes - sizeof(*line);

    return chain->command_lines++ == 0 && line->text_bytes > 0 && line->text_bytes <= room &&
           line->text[line->text_bytes - 1] == '\0';
}

static bool check_record(struct chain *chain, const struct plan_record *record)
{
    const void *body = record;

    switch (record->type) {
    case PLAN_PROTOCOL:
        return record->bytes == sizeof(struct plan_protocol) && check_protocol(chain, body);
    case PLAN_REGION:
        return record->bytes == sizeof(struct plan_region) && check_region(chain, body);
    case PLAN_SEGMENT:
        return record->bytes == sizeof(struct plan_segment) && check_segment(chain, body);
    case PLAN_MAPPING:
        return record->bytes == sizeof(struct plan_mapping) && check_mapping(chain, body);
    case PLAN_COMMAND_LINE:
        return record->bytes >= sizeof(struct plan_command_line) && check_command_line(chain, body);
    default:
        if (record->flags & PLAN_RECORD_REQUIRED)
            fail(ERROR_PLAN_UNKNOWN, {"record", record->type});
        return true;
    }
}

static void check_records(const struct plan *plan)
{
    struct chain chain = {.plan = plan};
    uint64_t offset = sizeof(*plan->prefix);

    while (offset < plan->prefix->plan_bytes) {
        const struct plan_record *record = (const void *)((const uint8_t *)plan->prefix + offset);
        uint64_t room = plan->prefix->plan_bytes - offset;

        if (room < sizeof(*record) || record->bytes < sizeof(*record) || record->bytes > room ||
            record->bytes % 8 || !check_record(&chain, record))
            fail(ERROR_PLAN_DAMAGED, {"offset", offset});
        offset += record->bytes;
    }
    if (chain.protocols != 1)
        fail(ERROR_PLAN_DAMAGED, {"protocols", chain.protocols});
}

static void check_prefix(const struct image_plan *prefix, const struct firmware_boot *boot)
{
    if (memcmp(prefix->magic, IMAGE_PLAN_MAGIC, sizeof(prefix->magic)) ||
        prefix->image_id != boot->image_id || prefix->plan_bytes != boot->plan_bytes ||
        prefix->partition_bytes < prefix->plan_bytes)
        fail(ERROR_PLAN_DAMAGED, {"sector", boot->plan_lba});
    if (prefix->format_version != IMAGE_FORMAT_VERSION)
        fail(ERROR_PLAN_UNKNOWN, {"format", prefix->format_version});
}

void plan_read(struct plan *plan, const struct firmware_boot *boot, struct memory_map *map)
{
    uint64_t bytes = boot->plan_bytes;

    if (bytes < sizeof(*plan->prefix))
        fail(ERROR_PLAN_DAMAGED, {"bytes", bytes});
    uint64_t paddr = memory_map_take_pages(map, bytes);
    *plan = (struct plan){(void *)(uintptr_t)paddr, boot->plan_lba, bytes};
    firmware_read_disk(boot->plan_lba, bytes, paddr);
    check_prefix(plan->prefix, boot);

    uint64_t expected = plan->prefix->xxh64;
    plan->prefix->xxh64 = 0;
    uint64_t found = checksum_xxh64(plan->prefix, bytes);
    if (found != expected)
        fail(ERROR_PLAN_DAMAGED, {"checksum", found}, {"expected", expected});
    check_records(plan);
}

void plan_free(struct plan *plan, struct memory_map *map)
{
    uint64_t bytes = (plan->bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);

    memory_map_retype(map, (uintptr_t)plan->prefix, bytes, BOOTINFO_MEMORY_LOADER,
                      BOOTINFO_MEMORY_USABLE);
    plan->prefix = NULL;
}
