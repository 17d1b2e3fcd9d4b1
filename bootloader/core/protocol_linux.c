/*
 * Linux: entered in 32-bit protected mode with the address of a struct boot_params in ESI, which
 * holds the header of its file with what the loader adds [Linux "The Linux/x86 Boot Protocol",
 * "32-bit Boot Protocol", and "Zero Page"]. On UEFI, if it has an entry for that, in 64-bit mode
 * while boot services go on: then it finds out for itself what the machine is like ["EFI Handover
 * Protocol"].
 */
#include "information.h"
#include "protocol.h"

#include <string.h>

#define PARAMS_BYTES 4096u
#define HEADER PLAN_LINUX_HEADER_OFFSET
#define LOADER_OF_NO_NUMBER 0xffu
#define MOST_ENTRIES 128u
#define SETUP_E820_EXTENDED 1u
#define EFI_64 0x34364c45u /* "EL64" */
#define VIDEO_VGA_TEXT 0x01u
#define VIDEO_VESA 0x23u
#define VIDEO_EFI 0x70u
#define VIDEO_MODE_TEXT 3u

/* Offsets in struct boot_params. */
enum {
    SCREEN_VIDEO_MODE = 0x06,
    SCREEN_COLUMNS = 0x07,
    SCREEN_ROWS = 0x0e,
    SCREEN_KIND = 0x0f,
    SCREEN_POINTS = 0x10,
    SCREEN_WIDTH = 0x12,
    SCREEN_HEIGHT = 0x14,
    SCREEN_DEPTH = 0x16,
    SCREEN_BASE = 0x18,
    SCREEN_BYTES = 0x1c,
    SCREEN_PITCH = 0x24,
    SCREEN_COLOURS = 0x26,
    SCREEN_CAPABILITIES = 0x36,
    SCREEN_BASE_HIGH = 0x3a,
    RSDP = 0x70,
    EFI_SIGNATURE = 0x1c0,
    EFI_SYSTEM_TABLE = 0x1c4,
    EFI_DESCRIPTOR_BYTES = 0x1c8,
    EFI_DESCRIPTOR_VERSION = 0x1cc,
    EFI_MAP = 0x1d0,
    EFI_MAP_BYTES = 0x1d4,
    EFI_SYSTEM_TABLE_HIGH = 0x1d8,
    EFI_MAP_HIGH = 0x1dc,
    ENTRY_COUNT = 0x1e8,
    LOADER_TYPE = 0x210,
    CODE32_START = 0x214,
    INITRD_PADDR = 0x218,
    INITRD_BYTES = 0x21c,
    COMMAND_LINE = 0x228,
    SETUP_DATA = 0x250,
    ENTRIES = 0x2d0,
};
#define CAPABILITY_64_BIT_BASE 0x2u
#define ENTRY_BYTES 20u
#define SETUP_DATA_HEAD_BYTES 16u

static void put8(uint8_t *params, uint64_t offset, uint64_t value)
{
    params[offset] = (uint8_t)value;
}

static void put16(uint8_t *params, uint64_t offset, uint64_t value)
{
    memcpy(params + offset, &value, sizeof(uint16_t));
}

static void put32(uint8_t *params, uint64_t offset, uint64_t value)
{
    memcpy(params + offset, &value, sizeof(uint32_t));
}

static void put64(uint8_t *params, uint64_t offset, uint64_t value)
{
    memcpy(params + offset, &value, sizeof(value));
}

void protocol_linux_prepare(struct loader *loader)
{
    uint64_t line_bytes;

    information_command_line(loader, &line_bytes);
    information_start(loader);
    information_take(loader, PARAMS_BYTES + line_bytes + SETUP_DATA_HEAD_BYTES +
                                 information_map_ranges(loader) * ENTRY_BYTES);
}

static void put_entry(uint8_t *at, const struct bootinfo_memory_range *range)
{
    put64(at, 0, range->base_paddr);
    put64(at, 8, range->bytes);
    put32(at, 16, information_e820_type(range->type));
}

/* 128 entries have room; the others go into a list behind. */
static void describe_memory(struct loader *loader, uint8_t *params)
{
    const struct memory_map *map = &loader->map;
    size_t count = map->count < MOST_ENTRIES ? map->count : MOST_ENTRIES;

    put8(params, ENTRY_COUNT, count);
    for (size_t i = 0; i < count; i++)
        put_entry(params + ENTRIES + i * ENTRY_BYTES, &map->ranges[i]);
    if (map->count == count)
        return;
    uint64_t more_bytes = (map->count - count) * ENTRY_BYTES;
    uint8_t *more = information_add(loader, SETUP_DATA_HEAD_BYTES + more_bytes);
    put32(more, 8, SETUP_E820_EXTENDED);
    put32(more, 12, more_bytes);
    for (size_t i = count; i < map->count; i++)
        put_entry(more + SETUP_DATA_HEAD_BYTES + (i - count) * ENTRY_BYTES, &map->ranges[i]);
    put64(params, SETUP_DATA, information_paddr(loader, more));
}

static void describe_text(uint8_t *params)
{
    put8(params, SCREEN_VIDEO_MODE, VIDEO_MODE_TEXT);
    put8(params, SCREEN_COLUMNS, 80);
    put8(params, SCREEN_ROWS, 25);
    put8(params, SCREEN_KIND, VIDEO_VGA_TEXT);
    put16(params, SCREEN_POINTS, 16);
}

static void describe_screen(const struct loader *loader, uint8_t *params)
{
    const struct bootinfo_framebuffer *screen = &loader->framebuffer;
    const uint8_t colours[] = {screen->red_bits,    screen->red_shift, screen->green_bits,
                               screen->green_shift, screen->blue_bits, screen->blue_shift};

    if (screen->bytes == 0) {
        if (loader->info->flags & BOOTINFO_TEXT_SCREEN)
            describe_text(params);
        return;
    }
    put8(params, SCREEN_KIND,
         loader->info->firmware == BOOTINFO_FIRMWARE_UEFI ? VIDEO_EFI : VIDEO_VESA);
    put16(params, SCREEN_WIDTH, screen->width);
    put16(params, SCREEN_HEIGHT, screen->height);
    put16(params, SCREEN_DEPTH, screen->bits_per_pixel);
    put32(params, SCREEN_BASE, screen->paddr);
    put32(params, SCREEN_BASE_HIGH, screen->paddr >> 32);
    put32(params, SCREEN_CAPABILITIES, screen->paddr >> 32 ? CAPABILITY_64_BIT_BASE : 0);
    put32(params, SCREEN_BYTES, screen->bytes);
    put16(params, SCREEN_PITCH, screen->pitch_bytes);
    memcpy(params + SCREEN_COLOURS, colours, sizeof(colours));
}

/* So the kernel finds the run-time services of UEFI, without its stub. */
static void describe_efi(const struct loader *loader, uint8_t *params)
{
    const struct bootinfo *info = loader->info;

    if (info->firmware != BOOTINFO_FIRMWARE_UEFI)
        return;
    put32(params, EFI_SIGNATURE, EFI_64);
    put32(params, EFI_SYSTEM_TABLE, info->efi_system_table_paddr);
    put32(params, EFI_SYSTEM_TABLE_HIGH, info->efi_system_table_paddr >> 32);
    put32(params, EFI_DESCRIPTOR_BYTES, info->efi_descriptor_bytes);
    put32(params, EFI_DESCRIPTOR_VERSION, info->efi_descriptor_version);
    put32(params, EFI_MAP, info->efi_memory_map);
    put32(params, EFI_MAP_HIGH, info->efi_memory_map >> 32);
    put32(params, EFI_MAP_BYTES, info->efi_memory_map_bytes);
}

static void describe_initrd(const struct loader *loader, uint8_t *params)
{
    const struct bootinfo_module *modules = modules_list(&loader->modules);

    if (loader->modules.count == 0)
        return;
    put32(params, INITRD_PADDR, modules[0].address);
    put32(params, INITRD_BYTES, modules[0].bytes);
}

/* What every entry needs. */
static uint8_t *start_params(struct loader *loader)
{
    const struct plan_linux *header = (const void *)plan_find(&loader->plan, NULL, PLAN_LINUX);
    uint8_t *params = information_add(loader, PARAMS_BYTES);
    uint64_t line_bytes;
    const char *line = information_command_line(loader, &line_bytes);

    memcpy(params + HEADER, header->header, header->header_bytes);
    put8(params, LOADER_TYPE, LOADER_OF_NO_NUMBER);
    put32(params, CODE32_START, loader->protocol->entry_vaddr);
    put32(params, COMMAND_LINE, information_copy(loader, line, line_bytes));
    put64(params, SETUP_DATA, 0);
    describe_initrd(loader, params);
    return params;
}

static void enter_with_services(struct loader *loader)
{
    const uint8_t *params = start_params(loader);

    firmware_give_back(&loader->map);
    handover_enter_services(loader->services_entry->entry_paddr,
                            &(struct handover_services){
                                .rdi = firmware_stay(),
                                .rsi = loader->info->efi_system_table_paddr,
                                .rdx = information_paddr(loader, params),
                            });
}

void protocol_linux_enter(struct loader *loader)
{
    if (loader->services_entry) {
        enter_with_services(loader);
        return;
    }
    information_leave(loader);
    uint8_t *params = start_params(loader);
    put64(params, RSDP, loader->info->rsdp_paddr);
    describe_memory(loader, params);
    describe_screen(loader, params);
    describe_efi(loader, params);
    information_enter(loader, 0, 0, information_paddr(loader, params));
}
