/*
 * Finding struct bootinfo: the magic number at the start of a page, as the loader takes whole pages
 * for it, and behind it nothing that the loader could not have written. The number alone also
 * stands in the code of every kernel that compares it. Next the profile and the crash report use
 * what is found.
 */
#include "run/bootinfo_finder.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096u
#define CHUNK_BYTES 0x100000u
#define FOUR_GIB 0x100000000ull
/* The struct of version 1.0, up to tsc_enter. */
#define LEAST_BYTES 160u
/* Far more than a memory map has. */
#define MOST_RANGES 0x10000u

/* An address that the kernel got: below 4 GiB, as all is that the loader takes. */
static bool is_address(const struct bootinfo *info, uint64_t address)
{
    return address - info->physical_memory > 0 && address - info->physical_memory < FOUR_GIB;
}

static bool is_version_known(const struct bootinfo *info)
{
    return info->version >> 16 == BOOTINFO_VERSION >> 16 && info->size_bytes >= LEAST_BYTES &&
           info->size_bytes <= PAGE_BYTES && info->size_bytes % sizeof(uint64_t) == 0;
}

/* The maps go with the levels of page tables; version 1.0 tells 0 and has 4. */
static bool is_map_known(const struct bootinfo *info)
{
    switch (info->physical_memory) {
    case BOOTINFO_PHYSICAL_MEMORY:
        return info->page_levels == (info->size_bytes > LEAST_BYTES ? 4 : 0) &&
               info->stack_top == BOOTINFO_STACK_TOP;
    case BOOTINFO_PHYSICAL_MEMORY_5:
        return info->page_levels == 5 && info->stack_top == BOOTINFO_STACK_TOP;
    case 0: /* a kernel without paging */
        return info->page_levels == 0 && is_address(info, info->stack_top);
    default:
        return false;
    }
}

static bool do_marks_rise(const struct bootinfo *info)
{
    return info->tsc_stage1 < info->tsc_stage2 && info->tsc_stage2 < info->tsc_loader &&
           info->tsc_loader < info->tsc_load && info->tsc_load < info->tsc_map &&
           info->tsc_map < info->tsc_enter;
}

static bool is_plausible(const struct bootinfo *info)
{
    return is_map_known(info) && is_address(info, info->loader_name) &&
           is_address(info, info->loader_version) && is_address(info, info->command_line) &&
           info->command_line_bytes <= UINT16_MAX && is_address(info, info->memory_map) &&
           info->memory_map_count > 0 && info->memory_map_count <= MOST_RANGES &&
           info->kernel_vaddr % PAGE_BYTES == 0 && info->kernel_paddr % PAGE_BYTES == 0 &&
           info->stack_bytes > 0 && do_marks_rise(info);
}

/* Take it from the start of a page, if it is there. */
static bool take(const uint8_t *page, struct bootinfo *info)
{
    const uint64_t magic = BOOTINFO_MAGIC;

    if (memcmp(page, &magic, sizeof(magic)) != 0)
        return false;
    memcpy(info, page, sizeof(*info));
    if (!is_version_known(info))
        return false;
    if (info->size_bytes < sizeof(*info))
        memset((uint8_t *)info + info->size_bytes, 0, sizeof(*info) - info->size_bytes);
    return is_plausible(info);
}

static bool find_in_chunk(const uint8_t *chunk, size_t bytes, uint64_t paddr,
                          struct found_bootinfo *found)
{
    for (size_t at = bytes; at > 0;) {
        at -= PAGE_BYTES;
        if (take(chunk + at, &found->info)) {
            found->paddr = paddr + at;
            return true;
        }
    }
    return false;
}

bool bootinfo_find(const struct guest_memory *memory, struct found_bootinfo *found)
{
    uint64_t end =
        (memory->end_paddr < FOUR_GIB ? memory->end_paddr : FOUR_GIB) / PAGE_BYTES * PAGE_BYTES;
    uint8_t *chunk = malloc(CHUNK_BYTES);
    bool is_found = false;

    while (chunk && end > 0 && !is_found) {
        const size_t bytes = end < CHUNK_BYTES ? end : CHUNK_BYTES;

        end -= bytes;
        if (!memory->read(memory->context, end, chunk, bytes))
            break;
        is_found = find_in_chunk(chunk, bytes, end, found);
    }
    free(chunk);
    return is_found;
}
