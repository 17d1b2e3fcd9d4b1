/*
 * Sections, beside the kernel's segments: symbols, names, debug information. Next to the modules,
 * as low as can be; the boot protocol tells of them.
 */
#include "sections.h"

#include "load.h"
#include "loader.h"
#include "log.h"

#include <string.h>

#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull
/* sh_addr in a header of 40 bytes and of 64 [ELF "Section Header"]. */
#define ADDRESS_32 12u
#define ADDRESS_64 16u
#define HEADER_BYTES_64 64u

static uint64_t load(struct loader *loader, uint64_t payload_offset, uint64_t bytes, uint64_t xxh64,
                     uint64_t index)
{
    uint64_t paddr = memory_map_take_lowest(&loader->map, bytes, ONE_MIB, FOUR_GIB,
                                            BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_MODULE);

    if (!paddr)
        fail(ERROR_NO_MEMORY, {"section", index}, {"bytes", bytes});
    uint64_t found = load_payload(&loader->plan, payload_offset, bytes, paddr, &loader->ticks);
    if (found != xxh64)
        fail(ERROR_PAYLOAD_DAMAGED, {"section", index}, {"checksum", found}, {"expected", xxh64});
    return paddr;
}

static void set_address(const struct sections *sections, uint32_t index, uint64_t paddr)
{
    uint8_t *header = (uint8_t *)(uintptr_t)sections->paddr + index * sections->header_bytes;

    if (sections->header_bytes == HEADER_BYTES_64)
        memcpy(header + ADDRESS_64, &paddr, sizeof(uint64_t));
    else
        memcpy(header + ADDRESS_32, &paddr, sizeof(uint32_t));
}

void sections_load(struct loader *loader)
{
    struct sections *sections = &loader->sections;
    const struct plan_record *record = plan_find(&loader->plan, NULL, PLAN_SECTION_HEADERS);

    if (!record)
        return;
    const struct plan_section_headers *headers = (const void *)record;
    sections->count = headers->count;
    sections->header_bytes = headers->header_bytes;
    sections->names_index = headers->names_index;
    sections->paddr = load(loader, headers->payload_offset,
                           (uint64_t)headers->count * headers->header_bytes, headers->xxh64, 0);
    while ((record = plan_find(&loader->plan, record, PLAN_SECTION))) {
        const struct plan_section *section = (const void *)record;

        set_address(
            sections, section->index,
            load(loader, section->payload_offset, section->bytes, section->xxh64, section->index));
    }
}
