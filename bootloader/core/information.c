/*
 * What the protocols without paging have in common: the block for their structures, the firmware's
 * end, and the jump. Each fills the block in its own file.
 */
#include "information.h"

#include "loader.h"
#include "log.h"
#include "placement.h"
#include "protocol.h"
#include "video.h"

#include <string.h>

#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull
/* Above what a BIOS and kernels that start another one use. */
#define LOWEST_PADDR 0x10000ull
#define ALIGN 8ull
/* Parts of one size, but for the texts of modules. */
#define PARTS 64
/* How many ranges this file and the firmware's end may add to the memory map. */
#define MAP_CHANGES 64

/* Below 1 MiB; else anywhere, as low as can be. */
static void take_block(struct loader *loader, struct information *block)
{
    struct memory_map *map = &loader->map;

    block->paddr = memory_map_take_lowest(map, block->bytes, LOWEST_PADDR, ONE_MIB, MEMORY_LEASED,
                                          BOOTINFO_MEMORY_LOADER);
    if (block->paddr) {
        block->start = (uint8_t *)(uintptr_t)memory_map_take_pages(map, block->bytes);
        return;
    }
    block->paddr = memory_map_take_lowest(map, block->bytes, ONE_MIB, FOUR_GIB,
                                          BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_LOADER);
    if (!block->paddr)
        fail(ERROR_NO_MEMORY, {"bytes", block->bytes});
    block->start = (uint8_t *)(uintptr_t)block->paddr;
    memset(block->start, 0, block->bytes);
}

void information_start(struct loader *loader)
{
    struct memory_map *map = &loader->map;

    loader->info = (struct bootinfo *)(uintptr_t)memory_map_take_pages(map, sizeof(*loader->info));
    firmware_describe(loader->info);
    loader->handover = (struct handover){
        .page_paddr = memory_map_take_pages(map, MEMORY_PAGE_BYTES),
        .entry_vaddr = loader->protocol->entry_vaddr,
    };
    placement_list_moves(&loader->plan, map, &loader->handover, 1);
    video_start(loader);
}

void information_take(struct loader *loader, uint64_t bytes)
{
    struct information *block = &loader->information;

    block->bytes = (bytes + PARTS * ALIGN + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);
    take_block(loader, block);
}

uint64_t information_map_ranges(const struct loader *loader)
{
    return loader->map.count + MAP_CHANGES;
}

void information_leave(struct loader *loader)
{
    firmware_leave(&loader->map, loader->info);
    if (!(loader->traits & PROTOCOL_KEEPS_INTERRUPTS))
        firmware_mask_interrupts();
    memory_map_release(&loader->map);
}

void *information_add(struct loader *loader, uint64_t bytes)
{
    struct information *block = &loader->information;
    void *part = block->start + block->used;

    if (bytes > block->bytes - block->used)
        fail(ERROR_MEMORY_MAP_FULL, {"entries", loader->map.count}, {"bytes", bytes});
    block->used = (block->used + bytes + ALIGN - 1) & ~(ALIGN - 1);
    return part;
}

uint32_t information_copy(struct loader *loader, const void *data, uint64_t bytes)
{
    void *part = information_add(loader, bytes);

    memcpy(part, data, bytes);
    return information_paddr(loader, part);
}

static uint64_t length_of(const char *text)
{
    uint64_t bytes = 0;

    while (text[bytes])
        bytes++;
    return bytes;
}

uint64_t information_module_text(const struct bootinfo_module *module, char *text)
{
    const char *name = (const char *)(uintptr_t)module->name;
    const char *arguments = (const char *)(uintptr_t)module->arguments;
    uint64_t name_bytes = length_of(name), arguments_bytes = length_of(arguments);
    uint64_t bytes = name_bytes + 1 + (arguments_bytes > 0 ? arguments_bytes + 1 : 0);

    if (!text)
        return bytes;
    memcpy(text, name, name_bytes + 1);
    if (arguments_bytes > 0) {
        text[name_bytes] = ' ';
        memcpy(text + name_bytes + 1, arguments, arguments_bytes + 1);
    }
    return bytes;
}

uint32_t information_copy_module_text(struct loader *loader, const struct bootinfo_module *module)
{
    char *text = information_add(loader, information_module_text(module, NULL));

    information_module_text(module, text);
    return information_paddr(loader, text);
}

uint64_t information_module_text_bytes(const struct loader *loader)
{
    return loader->modules.text_bytes + loader->modules.count * (ALIGN - 1);
}

uint32_t information_paddr(const struct loader *loader, const void *part)
{
    const struct information *block = &loader->information;

    return (uint32_t)(block->paddr + (uint64_t)((const uint8_t *)part - block->start));
}

const char *information_command_line(const struct loader *loader, uint64_t *bytes)
{
    const struct plan_command_line *line =
        (const void *)plan_find(&loader->plan, NULL, PLAN_COMMAND_LINE);

    *bytes = line ? line->text_bytes : 1;
    return line ? line->text : "";
}

uint32_t information_e820_type(uint32_t type)
{
    return type <= BOOTINFO_MEMORY_BAD ? type : BOOTINFO_MEMORY_RESERVED;
}

void information_enter(struct loader *loader, uint32_t eax, uint32_t ebx, uint32_t esi)
{
    const struct information *block = &loader->information;
    struct handover *handover = &loader->handover;

    if ((uintptr_t)block->start != block->paddr)
        handover_add_move(handover, (uintptr_t)block->start, block->paddr, block->bytes);
    handover->registers = (struct handover_registers){
        .eax = eax,
        .ebx = ebx,
        .esi = esi,
        .esp = (uint32_t)(handover->page_paddr + MEMORY_PAGE_BYTES),
    };
    handover_copy(handover);
    handover_enter(handover);
}
