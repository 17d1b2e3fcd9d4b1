/*
 * Parts of the information of both Multiboot protocols. The structures around them are those of
 * protocol_multiboot1.c and protocol_multiboot2.c.
 */
#include "multiboot.h"

#include "information.h"

#define ONE_MIB 0x100000ull
#define LOWER_END 0xa0000ull
#define KIB 1024u
#define TEXT_PADDR 0xb8000u
#define TEXT_COLUMNS 80u
#define TEXT_ROWS 25u
#define TEXT_BITS 16u

const char multiboot_loader_name[] = "bootimage " BOOTIMAGE_VERSION;

/* Where usable memory that begins at paddr ends. */
static uint64_t usable_end(const struct memory_map *map, uint64_t paddr)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];

        if (range->type == BOOTINFO_MEMORY_USABLE && range->base_paddr <= paddr &&
            paddr < range->base_paddr + range->bytes)
            return range->base_paddr + range->bytes;
    }
    return paddr;
}

uint32_t multiboot_lower_kib(const struct memory_map *map)
{
    uint64_t end = usable_end(map, 0);

    return (uint32_t)((end < LOWER_END ? end : LOWER_END) / KIB);
}

uint32_t multiboot_upper_kib(const struct memory_map *map)
{
    uint64_t kib = (usable_end(map, ONE_MIB) - ONE_MIB) / KIB;

    return kib < UINT32_MAX ? (uint32_t)kib : UINT32_MAX;
}

struct multiboot_memory multiboot_memory_of(const struct bootinfo_memory_range *range)
{
    return (struct multiboot_memory){range->base_paddr, range->bytes,
                                     information_e820_type(range->type)};
}

bool multiboot_framebuffer_of(const struct loader *loader, struct multiboot_framebuffer *told)
{
    const struct bootinfo_framebuffer *screen = &loader->framebuffer;

    if (screen->bytes > 0) {
        *told = (struct multiboot_framebuffer){
            .paddr = screen->paddr,
            .pitch = screen->pitch_bytes,
            .width = screen->width,
            .height = screen->height,
            .bits_per_pixel = (uint8_t)screen->bits_per_pixel,
            .type = MULTIBOOT_FRAMEBUFFER_RGB,
            .colours = {screen->red_shift, screen->red_bits, screen->green_shift,
                        screen->green_bits, screen->blue_shift, screen->blue_bits},
        };
        return true;
    }
    if (!(loader->info->flags & BOOTINFO_TEXT_SCREEN))
        return false;
    *told = (struct multiboot_framebuffer){
        .paddr = TEXT_PADDR,
        .pitch = TEXT_COLUMNS * TEXT_BITS / 8,
        .width = TEXT_COLUMNS,
        .height = TEXT_ROWS,
        .bits_per_pixel = TEXT_BITS,
        .type = MULTIBOOT_FRAMEBUFFER_TEXT,
    };
    return true;
}

void multiboot_ask_bios(struct loader *loader)
{
    struct multiboot_bios *bios =
        (void *)(uintptr_t)memory_map_take_pages(&loader->map, sizeof(*bios));

    if (!firmware_describe_apm(&bios->apm))
        bios->apm = (struct firmware_apm){0};
    bios->has_vbe = firmware_describe_vbe(&bios->vbe);
    loader->bios = bios;
}
