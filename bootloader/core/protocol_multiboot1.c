/*
 * Multiboot 1: entered with a magic number in EAX and the address of the boot information in EBX
 * [Multiboot §3.2 "Machine state", §3.3 "Boot information format"]. The interrupt controllers stay
 * as the BIOS had them, as §3.2 demands.
 */
#include "information.h"
#include "multiboot.h"
#include "protocol.h"
#include "sections.h"

#include <string.h>

#define ENTRY_MAGIC 0x2badb002u

#define INFO_MEMORY (1u << 0)
#define INFO_BOOT_DEVICE (1u << 1)
#define INFO_COMMAND_LINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_SECTIONS (1u << 5)
#define INFO_MEMORY_MAP (1u << 6)
#define INFO_LOADER_NAME (1u << 9)
#define INFO_APM (1u << 10)
#define INFO_VBE (1u << 11)
#define INFO_FRAMEBUFFER (1u << 12)

/* Drive, first partition, and none within it. */
#define BOOT_DEVICE(drive) ((uint32_t)(drive) << 24 | 0x00ffffu)

/* All addresses are physical. */
struct multiboot1_info {
    uint32_t flags;                 /* 0: INFO_; fields without their flag are 0 */
    uint32_t lower_kib, upper_kib;  /* 4 */
    uint32_t boot_device;           /* 12 */
    uint32_t command_line_paddr;    /* 16 */
    uint32_t module_count;          /* 20 */
    uint32_t modules_paddr;         /* 24: of struct multiboot1_module[] */
    uint32_t section_count;         /* 28 */
    uint32_t section_header_bytes;  /* 32 */
    uint32_t section_headers_paddr; /* 36 */
    uint32_t section_names_index;   /* 40 */
    uint32_t memory_map_bytes;      /* 44 */
    uint32_t memory_map_paddr;      /* 48: of struct multiboot1_memory[] */
    uint32_t drives[2];             /* 52: 0 */
    uint32_t config_table;          /* 60: 0 */
    uint32_t loader_name_paddr;     /* 64 */
    uint32_t apm_paddr;             /* 68: of a struct firmware_apm */
    uint32_t vbe_controller_paddr;  /* 72 */
    uint32_t vbe_mode_info_paddr;   /* 76 */
    uint16_t vbe_mode;              /* 80 */
    uint16_t vbe_interface[3];      /* 82: segment, offset, bytes */
    uint32_t framebuffer_paddr[2];  /* 88 */
    uint32_t framebuffer_pitch;     /* 96 */
    uint32_t framebuffer_width;     /* 100 */
    uint32_t framebuffer_height;    /* 104 */
    uint8_t framebuffer_bits;       /* 108 */
    uint8_t framebuffer_type;       /* 109 */
    uint8_t framebuffer_colours[6]; /* 110 */
};

struct multiboot1_module {
    uint32_t start_paddr; /* 0 */
    uint32_t end_paddr;   /* 4 */
    uint32_t text_paddr;  /* 8 */
    uint32_t reserved;    /* 12: 0 */
};

struct multiboot1_memory {
    uint32_t entry_bytes; /* 0: without this field */
    uint32_t range[5];    /* 4: struct multiboot_memory */
};

_Static_assert(sizeof(struct multiboot1_info) == 116, "multiboot1_info");
_Static_assert(offsetof(struct multiboot1_info, loader_name_paddr) == 64, "loader_name_paddr");
_Static_assert(offsetof(struct multiboot1_info, framebuffer_colours) == 110, "colours");
_Static_assert(sizeof(struct multiboot1_module) == 16, "multiboot1_module");
_Static_assert(sizeof(struct multiboot1_memory) == 24, "multiboot1_memory");

void protocol_multiboot1_prepare(struct loader *loader)
{
    uint64_t line_bytes;

    sections_load(loader);
    information_command_line(loader, &line_bytes);
    information_start(loader);
    multiboot_ask_bios(loader);
    information_take(loader, sizeof(struct multiboot1_info) + line_bytes +
                                 sizeof(struct multiboot_bios) + MULTIBOOT_LOADER_NAME_BYTES +
                                 loader->modules.count * sizeof(struct multiboot1_module) +
                                 information_module_text_bytes(loader) +
                                 information_map_ranges(loader) * sizeof(struct multiboot1_memory));
}

static void describe_memory(struct loader *loader, struct multiboot1_info *info)
{
    const struct memory_map *map = &loader->map;
    struct multiboot1_memory *told = information_add(loader, map->count * sizeof(*told));

    for (size_t i = 0; i < map->count; i++) {
        const struct multiboot_memory memory = multiboot_memory_of(&map->ranges[i]);

        told[i].entry_bytes = sizeof(told[i].range);
        memcpy(told[i].range, &memory, sizeof(told[i].range));
    }
    info->flags |= INFO_MEMORY | INFO_MEMORY_MAP;
    info->lower_kib = multiboot_lower_kib(map);
    info->upper_kib = multiboot_upper_kib(map);
    info->memory_map_bytes = (uint32_t)(map->count * sizeof(*told));
    info->memory_map_paddr = information_paddr(loader, told);
}

static void describe_modules(struct loader *loader, struct multiboot1_info *info)
{
    const struct bootinfo_module *modules = modules_list(&loader->modules);
    const uint64_t count = loader->modules.count;
    struct multiboot1_module *told = information_add(loader, count * sizeof(*told));

    for (uint64_t i = 0; i < count; i++)
        told[i] = (struct multiboot1_module){
            .start_paddr = (uint32_t)modules[i].address,
            .end_paddr = (uint32_t)(modules[i].address + modules[i].bytes),
            .text_paddr = information_copy_module_text(loader, &modules[i]),
        };
    info->flags |= INFO_MODULES;
    info->module_count = (uint32_t)count;
    info->modules_paddr = count > 0 ? information_paddr(loader, told) : 0;
}

static void describe_sections(const struct loader *loader, struct multiboot1_info *info)
{
    const struct sections *sections = &loader->sections;

    if (sections->count == 0)
        return;
    info->flags |= INFO_SECTIONS;
    info->section_count = sections->count;
    info->section_header_bytes = sections->header_bytes;
    info->section_headers_paddr = (uint32_t)sections->paddr;
    info->section_names_index = sections->names_index;
}

static void describe_screen(const struct loader *loader, struct multiboot1_info *info)
{
    struct multiboot_framebuffer screen;

    if (!multiboot_framebuffer_of(loader, &screen))
        return;
    info->flags |= INFO_FRAMEBUFFER;
    memcpy(info->framebuffer_paddr, &screen.paddr, sizeof(screen.paddr));
    info->framebuffer_pitch = screen.pitch;
    info->framebuffer_width = screen.width;
    info->framebuffer_height = screen.height;
    info->framebuffer_bits = screen.bits_per_pixel;
    info->framebuffer_type = screen.type;
    memcpy(info->framebuffer_colours, screen.colours, sizeof(screen.colours));
}

static void describe_bios(struct loader *loader, struct multiboot1_info *info)
{
    const struct firmware_apm *apm = &loader->bios->apm;
    const struct firmware_vbe *vbe = &loader->bios->vbe;

    if (apm->version) {
        info->flags |= INFO_APM;
        info->apm_paddr = information_copy(loader, apm, sizeof(*apm));
    }
    if (!loader->bios->has_vbe)
        return;
    info->flags |= INFO_VBE;
    info->vbe_controller_paddr = information_copy(loader, vbe->controller, sizeof(vbe->controller));
    info->vbe_mode_info_paddr = information_copy(loader, vbe->mode_info, sizeof(vbe->mode_info));
    info->vbe_mode = vbe->mode;
    info->vbe_interface[0] = vbe->interface_segment;
    info->vbe_interface[1] = vbe->interface_offset;
    info->vbe_interface[2] = vbe->interface_bytes;
}

void protocol_multiboot1_enter(struct loader *loader)
{
    uint64_t line_bytes;
    const char *line = information_command_line(loader, &line_bytes);

    information_leave(loader);
    struct multiboot1_info *info = information_add(loader, sizeof(*info));
    *info = (struct multiboot1_info){
        .flags = INFO_COMMAND_LINE | INFO_LOADER_NAME,
        .command_line_paddr = information_copy(loader, line, line_bytes),
        .loader_name_paddr =
            information_copy(loader, multiboot_loader_name, MULTIBOOT_LOADER_NAME_BYTES),
    };
    if (loader->info->firmware == BOOTINFO_FIRMWARE_BIOS) {
        info->flags |= INFO_BOOT_DEVICE;
        info->boot_device = BOOT_DEVICE(loader->boot.boot_drive);
    }
    describe_memory(loader, info);
    describe_modules(loader, info);
    describe_sections(loader, info);
    describe_screen(loader, info);
    describe_bios(loader, info);
    information_enter(loader, ENTRY_MAGIC, information_paddr(loader, info), 0);
}
