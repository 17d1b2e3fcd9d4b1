/*
 * The checks of the plan's records, after its checksum was found right: for a tool of another
 * version, or with a defect. First each record by itself and behind those before it; then what they
 * say of each other, in whatever order they stand. What follows in the boot trusts the plan.
 */
#include "plan_check.h"

#include "limine.h"
#include "log.h"
#include "memory_map.h"
#include "plan.h"
#include "protocol.h"
#include "request.h"

#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull
/* Canonical addresses: bits that 4 and 5 levels of page tables translate. */
#define ADDRESS_BITS 48
#define ADDRESS_BITS_5 57
#define MOST_STACK_BYTES 0x40000000ull
#define MOST_MODULES 65536
#define LATEST_LIMINE 3
#define LIMINE_REQUEST_BYTES 48

/* What the checks of the records have seen so far. */
struct chain {
    const struct plan *plan;
    const struct plan_region *region; /* the latest; NULL: none yet */
    uint64_t segment_end;             /* offset in it where the next segment may begin */
    uint64_t mapping_end;             /* as segment_end */
    uint32_t singles;                 /* bit n: there is a record of type n */
    uint32_t modules;
    uint32_t sections;
    bool has_kernel_file;
};

static bool is_aligned(uint64_t value)
{
    return value % MEMORY_PAGE_BYTES == 0;
}

/* A flag that a later tool has found a use for. */
static void refuse_unknown(const struct plan_record *record, uint32_t flags, uint32_t known)
{
    if (flags & ~known)
        fail(ERROR_PLAN_UNKNOWN, {"record", record->type}, {"flags", flags});
}

/* Is [start, start + bytes) within [outer, outer + outer_bytes), which may end with the address
   space? */
static bool is_within(uint64_t start, uint64_t bytes, uint64_t outer, uint64_t outer_bytes)
{
    return start - outer <= outer_bytes && bytes <= outer_bytes - (start - outer);
}

/* Does [vaddr, vaddr + bytes) lie in the latest region, at the offset *end or behind it? Moves
 *end. */
static bool advance(const struct chain *chain, uint64_t *end, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_region *region = chain->region;

    if (!region || vaddr - region->vaddr < *end ||
        !is_within(vaddr, bytes, region->vaddr, region->bytes))
        return false;
    *end = vaddr - region->vaddr + bytes;
    return true;
}

static bool is_in_payload(const struct chain *chain, uint64_t offset, uint64_t bytes)
{
    return offset % IMAGE_SECTOR_BYTES == 0 &&
           is_within(offset, bytes, 0, chain->plan->prefix->partition_bytes);
}

/* One record by itself. */

static bool check_protocol(struct chain *chain, const void *record)
{
    const struct plan_protocol *protocol = record;

    (void)chain;
    return is_aligned(protocol->stack_bytes) && protocol->stack_bytes > 0 &&
           protocol->stack_bytes <= MOST_STACK_BYTES;
}

/* Regions are sorted and share no page; offsets, as one may end with the address space. */
static bool check_region(struct chain *chain, const void *record)
{
    const struct plan_region *region = record, *last = chain->region;

    if (!is_aligned(region->vaddr) || !is_aligned(region->bytes) || region->bytes == 0 ||
        region->bytes - 1 > UINT64_MAX - region->vaddr)
        return false;
    if (last && (region->vaddr < last->vaddr || region->vaddr - last->vaddr < last->bytes))
        return false;
    chain->region = region;
    chain->segment_end = 0;
    chain->mapping_end = 0;
    refuse_unknown(record, region->flags, PLAN_REGION_MOVABLE | PLAN_REGION_NOT_CLEARED);
    return region->paddr == PLAN_PADDR_ANYWHERE ||
           (is_aligned(region->paddr) && is_within(region->paddr, region->bytes, 0, FOUR_GIB));
}

static bool check_segment(struct chain *chain, const void *record)
{
    const struct plan_segment *segment = record;

    return advance(chain, &chain->segment_end, segment->vaddr, segment->file_bytes) &&
           is_in_payload(chain, segment->payload_offset, segment->file_bytes);
}

static bool check_mapping(struct chain *chain, const void *record)
{
    const struct plan_mapping *mapping = record;

    refuse_unknown(record, mapping->rights, PLAN_WRITABLE | PLAN_EXECUTABLE);
    return is_aligned(mapping->vaddr) && is_aligned(mapping->bytes) && mapping->bytes > 0 &&
           advance(chain, &chain->mapping_end, mapping->vaddr, mapping->bytes);
}

/* Is this a C string of `bytes` bytes, its end included, in no more than `room`? */
static bool is_text(const char *text, uint64_t bytes, uint64_t room)
{
    return bytes > 0 && bytes <= room && text[bytes - 1] == '\0';
}

static bool check_command_line(struct chain *chain, const void *record)
{
    const struct plan_command_line *line = record;

    (void)chain;
    return is_text(line->text, line->text_bytes, line->record.bytes - sizeof(*line));
}

static bool check_module(struct chain *chain, const void *record)
{
    const struct plan_module *module = record;
    uint64_t room = module->record.bytes - sizeof(*module);

    refuse_unknown(record, module->flags, PLAN_MODULE_KERNEL_FILE);
    if (module->flags & PLAN_MODULE_KERNEL_FILE) {
        if (chain->has_kernel_file)
            return false;
        chain->has_kernel_file = true;
    } else if (chain->modules++ == MOST_MODULES) {
        return false;
    }
    return is_in_payload(chain, module->payload_offset, module->bytes) &&
           is_text(module->text, module->name_bytes, room) &&
           is_text(module->text + module->name_bytes, module->arguments_bytes,
                   room - module->name_bytes);
}

static bool check_request(struct chain *chain, const void *record)
{
    (void)chain;
    return request_is_sound(record);
}

static bool check_tls(struct chain *chain, const void *record)
{
    const struct plan_tls *tls = record;

    (void)chain;
    return tls->file_bytes <= tls->memory_bytes && tls->align > 0 &&
           (tls->align & (tls->align - 1)) == 0;
}

static bool check_relocations(struct chain *chain, const void *record)
{
    const struct plan_relocations *relocations = record;

    (void)chain;
    if (relocations->form == PLAN_RELOCATIONS_RELA)
        return relocations->bytes % 24 == 0;
    if (relocations->form == PLAN_RELOCATIONS_RELR)
        return relocations->bytes % 8 == 0;
    fail(ERROR_PLAN_UNKNOWN, {"relocations", relocations->form});
}

static bool check_random_base(struct chain *chain, const void *record)
{
    const struct plan_random_base *base = record;

    (void)chain;
    return base->places > 0 && base->step_bytes > 0 && is_aligned(base->step_bytes) &&
           base->places - 1 <= UINT64_MAX / base->step_bytes;
}

static bool check_extent(struct chain *chain, const void *record)
{
    const struct plan_extent *extent = record;

    (void)chain;
    if (extent->preference > PLAN_PREFER_HIGH)
        fail(ERROR_PLAN_UNKNOWN, {"preference", extent->preference});
    return extent->align > 0 && (extent->align & (extent->align - 1)) == 0 &&
           extent->least_paddr <= extent->most_paddr && extent->most_paddr < FOUR_GIB;
}

static bool check_section_headers(struct chain *chain, const void *record)
{
    const struct plan_section_headers *headers = record;

    chain->sections = headers->count;
    return headers->count > 0 && (headers->header_bytes == 40 || headers->header_bytes == 64) &&
           is_in_payload(chain, headers->payload_offset,
                         (uint64_t)headers->count * headers->header_bytes);
}

static bool check_section(struct chain *chain, const void *record)
{
    const struct plan_section *section = record;

    return section->index < chain->sections && section->bytes > 0 && section->bytes < FOUR_GIB &&
           is_in_payload(chain, section->payload_offset, section->bytes);
}

static bool check_efi_entry(struct chain *chain, const void *record)
{
    const struct plan_efi_entry *entry = record;

    (void)chain;
    return entry->entry_paddr > 0;
}

static bool check_linux(struct chain *chain, const void *record)
{
    const struct plan_linux *linux_header = record;

    (void)chain;
    return linux_header->header_bytes >= 0x73 && linux_header->header_bytes <= 0x110 &&
           linux_header->header_bytes <= linux_header->record.bytes - sizeof(*linux_header);
}

static bool check_patches(struct chain *chain, const void *record)
{
    const struct plan_patches *patches = record;

    (void)chain;
    refuse_unknown(record, patches->flags, PLAN_PATCHES_ABSOLUTE);
    return patches->count > 0 &&
           patches->record.bytes ==
               sizeof(*patches) + (uint64_t)patches->count * sizeof(struct plan_patch);
}

static bool check_limine(struct chain *chain, const void *record)
{
    const struct plan_limine *limine = record;
    uint32_t seen = 0;

    (void)chain;
    refuse_unknown(record, limine->flags, PLAN_LIMINE_X2APIC);
    if (limine->record.bytes !=
        sizeof(*limine) + (uint64_t)limine->count * sizeof(struct plan_limine_request))
        return false;
    if (limine->base_revision > LATEST_LIMINE)
        fail(ERROR_PLAN_UNKNOWN, {"base revision", limine->base_revision});
    for (uint32_t i = 0; i < limine->count; i++) {
        uint32_t feature = limine->requests[i].feature;

        if (feature == 0 || feature >= LIMINE_FEATURES)
            fail(ERROR_PLAN_UNKNOWN, {"feature", feature});
        if (seen & 1u << feature)
            return false;
        seen |= 1u << feature;
    }
    return true;
}

static const struct kind {
    uint32_t bytes; /* of the record; at least, if more may follow */
    bool has_text;
    bool is_single;
    bool (*check)(struct chain *chain, const void *record);
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

static bool check_record(struct chain *chain, const struct plan_record *record)
{
    if (record->type >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[record->type].check) {
        if (record->flags & PLAN_RECORD_REQUIRED)
            fail(ERROR_PLAN_UNKNOWN, {"record", record->type});
        return true;
    }
    const struct kind *kind = &kinds[record->type];
    uint32_t bit = 1u << record->type;

    if (record->bytes < kind->bytes || (record->bytes > kind->bytes && !kind->has_text) ||
        (kind->is_single && chain->singles & bit))
        return false;
    chain->singles |= bit;
    return kind->check(chain, record);
}

/* What the records say of each other. */

static bool is_canonical(uint64_t vaddr, uint64_t bytes, unsigned int address_bits)
{
    uint64_t first = vaddr >> (address_bits - 1);
    uint64_t last = (vaddr + bytes - 1) >> (address_bits - 1);

    return first == last && (first == 0 || first == UINT64_MAX >> (address_bits - 1));
}

/* Do the region and the stack, with the page below it that is not mapped, share no page? */
static bool is_off_the_stack(const struct plan *plan, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_protocol *protocol = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    uint64_t stack = BOOTINFO_STACK_TOP - protocol->stack_bytes - MEMORY_PAGE_BYTES;

    return vaddr >= BOOTINFO_STACK_TOP || (vaddr < stack && bytes <= stack - vaddr);
}

/* Wherever the kernel goes by its random base. */
static bool is_reachable(const struct plan *plan, const struct plan_region *region,
                         unsigned int address_bits)
{
    const struct plan_random_base *base = (const void *)plan_find(plan, NULL, PLAN_RANDOM_BASE);
    uint64_t most = base ? (base->places - 1) * base->step_bytes : 0;
    uint64_t last = region->vaddr + (region->bytes - 1);

    return most <= UINT64_MAX - last && is_off_the_stack(plan, region->vaddr, region->bytes) &&
           is_canonical(region->vaddr, region->bytes, address_bits) &&
           is_canonical(region->vaddr + most, region->bytes, address_bits);
}

/* Does [vaddr, vaddr + bytes) lie in one region? */
static bool is_in_region(const struct plan *plan, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;

        if (is_within(vaddr, bytes, region->vaddr, region->bytes))
            return true;
    }
    return false;
}

static bool is_entry_executable(const struct plan *plan)
{
    const struct plan_protocol *protocol = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_MAPPING))) {
        const struct plan_mapping *mapping = (const void *)record;

        if (mapping->rights & PLAN_EXECUTABLE &&
            protocol->entry_vaddr - mapping->vaddr < mapping->bytes)
            return true;
    }
    return false;
}

/* Without paging. */
static bool are_regions_physical(const struct plan *plan)
{
    const struct plan_protocol *protocol = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;

        if (region->paddr != region->vaddr || region->flags & PLAN_REGION_MOVABLE)
            return false;
    }
    const struct plan_efi_entry *other = (const void *)plan_find(plan, NULL, PLAN_EFI_ENTRY);

    return is_in_region(plan, protocol->entry_vaddr, 1) &&
           (!other || is_in_region(plan, other->entry_paddr, 1)) &&
           !plan_find(plan, NULL, PLAN_MAPPING) && !plan_find(plan, NULL, PLAN_RANDOM_BASE) &&
           !plan_find(plan, NULL, PLAN_RELOCATIONS) && !plan_find(plan, NULL, PLAN_PATCHES);
}

/* The page tables would lead to the firmware, and to this code. */
static void refuse_low_regions(const struct plan *plan)
{
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;

        if (region->paddr < ONE_MIB)
            fail(ERROR_PLAN_UNKNOWN, {"region at", region->paddr});
    }
}

static bool are_regions_reachable(const struct plan *plan)
{
    const struct plan_request *levels = request_find(plan, BOOTINFO_REQUEST_LEVELS);
    bool has_5 = levels && levels->words[0] == 5 && !(levels->type & BOOTINFO_REQUEST_OPTIONAL);
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION))) {
        if (!is_reachable(plan, (const void *)record, has_5 ? ADDRESS_BITS_5 : ADDRESS_BITS))
            return false;
    }
    return true;
}

static bool are_tables_in_regions(const struct plan *plan)
{
    const struct plan_tls *tls = (const void *)plan_find(plan, NULL, PLAN_TLS);
    const struct plan_record *record = NULL;

    /* Zeros alone may lie anywhere: nothing of them is loaded. */
    if (tls && tls->file_bytes > 0 && !is_in_region(plan, tls->vaddr, tls->file_bytes))
        return false;
    while ((record = plan_find(plan, record, PLAN_RELOCATIONS))) {
        const struct plan_relocations *relocations = (const void *)record;

        if (!is_in_region(plan, relocations->vaddr, relocations->bytes))
            return false;
    }
    return true;
}

/* The loader writes to them. */
static bool are_requests_in_regions(const struct plan *plan)
{
    const struct plan_protocol *protocol = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    const struct plan_limine *limine = (const void *)plan_find(plan, NULL, PLAN_LIMINE);

    for (uint32_t i = 0; limine && i < limine->count; i++) {
        uint64_t vaddr = limine->requests[i].vaddr + protocol->slide;

        if (vaddr % 8 || !is_in_region(plan, vaddr, LIMINE_REQUEST_BYTES))
            return false;
    }
    return true;
}

static bool fits_the_protocol(const struct plan *plan)
{
    const struct plan_protocol *record = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    const struct protocol *protocol = protocol_find(record->protocol);

    if (protocol->needs && !plan_find(plan, NULL, (enum plan_record_type)protocol->needs))
        return false;
    if (!(protocol->traits & PROTOCOL_PAGING))
        return are_regions_physical(plan);
    refuse_low_regions(plan);
    return is_entry_executable(plan) && are_regions_reachable(plan);
}

void plan_check(const struct plan *plan)
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
    if (!(chain.singles & 1u << PLAN_PROTOCOL) || !chain.region || !fits_the_protocol(plan) ||
        !are_tables_in_regions(plan) || !are_requests_in_regions(plan) || !requests_agree(plan))
        fail(ERROR_PLAN_DAMAGED, {"bytes", plan->prefix->plan_bytes});
}
