/*
 * Multiboot 2: entered with a magic number in EAX and the address of a list of tags in EBX
 * [Multiboot2 §3.4 "Machine state", §3.6 "Boot information"]. Each tag begins at a multiple of 8,
 * as every part of the information does, so they follow each other. On UEFI a kernel may ask to be
 * entered in 64-bit code instead, while boot services go on [Multiboot2 §3.5 "EFI amd64 machine
 * state with boot services enabled"].
 */
#include "information.h"
#include "multiboot.h"
#include "protocol.h"
#include "sections.h"
#include "tables.h"

#include <string.h>

#define ENTRY_MAGIC 0x36d76289u
#define NO_PARTITION 0xffffffffu

enum tag_type {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_LOADER_NAME = 2,
    TAG_MODULE = 3,
    TAG_MEMORY = 4,
    TAG_BOOT_DEVICE = 5,
    TAG_MEMORY_MAP = 6,
    TAG_VBE = 7,
    TAG_FRAMEBUFFER = 8,
    TAG_SECTIONS = 9,
    TAG_APM = 10,
    TAG_EFI_SYSTEM_TABLE_64 = 12,
    TAG_SMBIOS = 13,
    TAG_RSDP_1 = 14,
    TAG_RSDP_2 = 15,
    TAG_EFI_MEMORY_MAP = 17,
    TAG_BOOT_SERVICES = 18,
    TAG_EFI_IMAGE_64 = 20,
    TAG_LOAD_BASE = 21,
};

struct tag {
    uint32_t type;
    uint32_t size; /* without what fills it up to a multiple of 8 */
};

struct information_start {
    uint32_t total_bytes; /* 0 */
    uint32_t reserved;    /* 4: 0 */
};

struct tag_module {
    struct tag tag;       /* 0 */
    uint32_t start_paddr; /* 8 */
    uint32_t end_paddr;   /* 12 */
    char text[];          /* 16 */
};

struct tag_memory {
    struct tag tag;                /* 0 */
    uint32_t lower_kib, upper_kib; /* 8 */
};

struct tag_boot_device {
    struct tag tag;         /* 0 */
    uint32_t drive;         /* 8 */
    uint32_t partition;     /* 12 */
    uint32_t sub_partition; /* 16: NO_PARTITION */
};

struct memory_entry {
    uint32_t range[5]; /* 0: struct multiboot_memory */
    uint32_t reserved; /* 20: 0 */
};

struct tag_memory_map {
    struct tag tag;       /* 0 */
    uint32_t entry_bytes; /* 8 */
    uint32_t version;     /* 12: 0 */
    struct memory_entry entries[];
};

struct tag_framebuffer {
    struct tag tag;               /* 0 */
    uint64_t paddr;               /* 8 */
    uint32_t pitch;               /* 16 */
    uint32_t width, height;       /* 20 */
    uint8_t bits_per_pixel, type; /* 28 */
    uint16_t reserved;            /* 30: 0 */
    uint8_t colours[6];           /* 32: of type 1 only */
};

/* As the specification's multiboot2.h has it, and every loader: its text speaks of numbers of 16
   bits [Multiboot2 §3.6.7 "ELF-Symbols"]. */
struct tag_sections {
    struct tag tag;        /* 0 */
    uint32_t count;        /* 8 */
    uint32_t header_bytes; /* 12 */
    uint32_t names_index;  /* 16 */
    uint8_t headers[];     /* 20 */
};

struct tag_address_64 {
    struct tag tag;   /* 0 */
    uint64_t address; /* 8 */
};

struct tag_address_32 {
    struct tag tag;   /* 0 */
    uint32_t address; /* 8 */
};

struct tag_smbios {
    struct tag tag;       /* 0 */
    uint8_t major, minor; /* 8 */
    uint8_t reserved[6];  /* 10: 0 */
    uint8_t tables[];     /* 16 */
};

struct tag_vbe {
    struct tag tag;          /* 0 */
    struct firmware_vbe vbe; /* 8: mode, interface, the two blocks */
};

struct tag_efi_memory_map {
    struct tag tag;              /* 0 */
    uint32_t descriptor_bytes;   /* 8 */
    uint32_t descriptor_version; /* 12 */
    uint8_t map[];               /* 16 */
};

_Static_assert(offsetof(struct tag_module, text) == 16, "tag_module");
_Static_assert(offsetof(struct tag_memory_map, entries) == 16, "tag_memory_map");
_Static_assert(sizeof(struct memory_entry) == 24, "memory_entry");
_Static_assert(offsetof(struct tag_framebuffer, colours) == 32, "tag_framebuffer");
_Static_assert(offsetof(struct tag_sections, headers) == 20, "tag_sections");
_Static_assert(offsetof(struct tag_smbios, tables) == 16, "tag_smbios");
_Static_assert(sizeof(struct tag_vbe) == 784, "tag_vbe");
_Static_assert(sizeof(struct firmware_apm) == 20, "firmware_apm");
_Static_assert(offsetof(struct tag_efi_memory_map, map) == 16, "tag_efi_memory_map");

/* The tags whose length is always the same, those of addresses, and the heads of all others. */
#define FIXED_BYTES 512u

void protocol_multiboot2_prepare(struct loader *loader)
{
    struct tables_smbios smbios;
    uint64_t line_bytes;

    sections_load(loader);
    information_command_line(loader, &line_bytes);
    information_start(loader);
    multiboot_ask_bios(loader);
    tables_find_smbios(loader->info, &smbios);
    information_take(loader, FIXED_BYTES + line_bytes + MULTIBOOT_LOADER_NAME_BYTES +
                                 loader->modules.count * sizeof(struct tag_module) +
                                 information_module_text_bytes(loader) +
                                 information_map_ranges(loader) * sizeof(struct memory_entry) +
                                 (uint64_t)loader->sections.count * loader->sections.header_bytes +
                                 smbios.bytes + tables_rsdp_bytes(loader->info) +
                                 sizeof(struct multiboot_bios) + firmware_map_bytes());
}

/* The next tag, of so many bytes. */
static void *add(struct loader *loader, enum tag_type type, uint64_t bytes)
{
    struct tag *tag = information_add(loader, bytes);

    *tag = (struct tag){(uint32_t)type, (uint32_t)bytes};
    return tag;
}

/* A tag that is a copy of these bytes behind its head of `head` bytes. */
static void *add_copy(struct loader *loader, enum tag_type type, uint64_t head, const void *data,
                      uint64_t bytes)
{
    uint8_t *tag = add(loader, type, head + bytes);

    memcpy(tag + head, data, bytes);
    return tag;
}

static void describe_modules(struct loader *loader)
{
    const struct bootinfo_module *modules = modules_list(&loader->modules);

    for (uint64_t i = 0; i < loader->modules.count; i++) {
        uint64_t text_bytes = information_module_text(&modules[i], NULL);
        struct tag_module *tag = add(loader, TAG_MODULE, sizeof(*tag) + text_bytes);

        tag->start_paddr = (uint32_t)modules[i].address;
        tag->end_paddr = (uint32_t)(modules[i].address + modules[i].bytes);
        information_module_text(&modules[i], tag->text);
    }
}

static void describe_memory(struct loader *loader)
{
    const struct memory_map *map = &loader->map;
    struct tag_memory *memory = add(loader, TAG_MEMORY, sizeof(*memory));
    struct tag_memory_map *told =
        add(loader, TAG_MEMORY_MAP, sizeof(*told) + map->count * sizeof(struct memory_entry));

    memory->lower_kib = multiboot_lower_kib(map);
    memory->upper_kib = multiboot_upper_kib(map);
    told->entry_bytes = sizeof(struct memory_entry);
    for (size_t i = 0; i < map->count; i++) {
        const struct multiboot_memory range = multiboot_memory_of(&map->ranges[i]);

        memcpy(told->entries[i].range, &range, sizeof(told->entries[i].range));
    }
}

static void describe_screen(struct loader *loader)
{
    struct multiboot_framebuffer screen;

    if (!multiboot_framebuffer_of(loader, &screen))
        return;
    struct tag_framebuffer *tag =
        add(loader, TAG_FRAMEBUFFER,
            screen.type == MULTIBOOT_FRAMEBUFFER_RGB
                ? offsetof(struct tag_framebuffer, colours) + sizeof(screen.colours)
                : offsetof(struct tag_framebuffer, colours));
    tag->paddr = screen.paddr;
    tag->pitch = screen.pitch;
    tag->width = screen.width;
    tag->height = screen.height;
    tag->bits_per_pixel = screen.bits_per_pixel;
    tag->type = screen.type;
    if (screen.type == MULTIBOOT_FRAMEBUFFER_RGB)
        memcpy(tag->colours, screen.colours, sizeof(screen.colours));
}

static void describe_sections(struct loader *loader)
{
    const struct sections *sections = &loader->sections;

    if (sections->count == 0)
        return;
    struct tag_sections *tag =
        add_copy(loader, TAG_SECTIONS, sizeof(*tag), (const void *)(uintptr_t)sections->paddr,
                 (uint64_t)sections->count * sections->header_bytes);
    tag->count = sections->count;
    tag->header_bytes = sections->header_bytes;
    tag->names_index = sections->names_index;
}

/* Copies of what the firmware has. */
static void describe_tables(struct loader *loader)
{
    const struct bootinfo *info = loader->info;
    const void *rsdp = (const void *)(uintptr_t)info->rsdp_paddr;
    const uint64_t rsdp_bytes = tables_rsdp_bytes(info);
    struct tables_smbios smbios;

    if (rsdp_bytes > 0)
        add_copy(loader, TAG_RSDP_1, sizeof(struct tag), rsdp, TABLES_RSDP_1_BYTES);
    if (rsdp_bytes > TABLES_RSDP_1_BYTES)
        add_copy(loader, TAG_RSDP_2, sizeof(struct tag), rsdp, rsdp_bytes);
    tables_find_smbios(info, &smbios);
    if (smbios.bytes > 0) {
        struct tag_smbios *tag = add_copy(loader, TAG_SMBIOS, sizeof(*tag),
                                          (const void *)(uintptr_t)smbios.paddr, smbios.bytes);

        tag->major = smbios.major;
        tag->minor = smbios.minor;
    }
}

static void describe_address(struct loader *loader, enum tag_type type, uint64_t address)
{
    struct tag_address_64 *tag = add(loader, type, sizeof(*tag));

    tag->address = address;
}

static void describe_boot_device(struct loader *loader)
{
    if (loader->info->firmware != BOOTINFO_FIRMWARE_BIOS)
        return;
    struct tag_boot_device *tag = add(loader, TAG_BOOT_DEVICE, sizeof(*tag));
    tag->drive = loader->boot.boot_drive;
    tag->sub_partition = NO_PARTITION;
}

static void describe_bios(struct loader *loader)
{
    const struct multiboot_bios *bios = loader->bios;

    if (bios->apm.version)
        add_copy(loader, TAG_APM, sizeof(struct tag), &bios->apm, sizeof(bios->apm));
    if (bios->has_vbe)
        add_copy(loader, TAG_VBE, sizeof(struct tag), &bios->vbe, sizeof(bios->vbe));
}

static void describe_efi_memory(struct loader *loader)
{
    const struct bootinfo *info = loader->info;

    if (info->firmware != BOOTINFO_FIRMWARE_UEFI)
        return;
    struct tag_efi_memory_map *map =
        add_copy(loader, TAG_EFI_MEMORY_MAP, sizeof(*map),
                 (const void *)(uintptr_t)info->efi_memory_map, info->efi_memory_map_bytes);
    map->descriptor_bytes = info->efi_descriptor_bytes;
    map->descriptor_version = info->efi_descriptor_version;
}

static void describe_base(struct loader *loader)
{
    const struct plan_region *first = (const void *)plan_find(&loader->plan, NULL, PLAN_REGION);
    struct tag_address_32 *tag = add(loader, TAG_LOAD_BASE, sizeof(*tag));

    tag->address = (uint32_t)first->paddr;
}

/* All that does not change when the firmware is left: it may lie where only the firmware reaches.
 */
static struct information_start *describe_all(struct loader *loader)
{
    uint64_t line_bytes;
    const char *line = information_command_line(loader, &line_bytes);
    struct information_start *start = information_add(loader, sizeof(*start));

    add_copy(loader, TAG_COMMAND_LINE, sizeof(struct tag), line, line_bytes);
    add_copy(loader, TAG_LOADER_NAME, sizeof(struct tag), multiboot_loader_name,
             MULTIBOOT_LOADER_NAME_BYTES);
    describe_modules(loader);
    describe_screen(loader);
    describe_sections(loader);
    describe_tables(loader);
    describe_boot_device(loader);
    describe_bios(loader);
    if (loader->info->efi_system_table_paddr)
        describe_address(loader, TAG_EFI_SYSTEM_TABLE_64, loader->info->efi_system_table_paddr);
    describe_base(loader);
    return start;
}

static void finish(struct loader *loader, struct information_start *start)
{
    add(loader, TAG_END, sizeof(struct tag));
    start->total_bytes = (uint32_t)loader->information.used;
}

/* The maps of memory are the kernel's to ask for then, and its last one ends the services. */
static void enter_with_services(struct loader *loader, struct information_start *start)
{
    add(loader, TAG_BOOT_SERVICES, sizeof(struct tag));
    firmware_give_back(&loader->map);
    describe_address(loader, TAG_EFI_IMAGE_64, firmware_stay());
    finish(loader, start);
    handover_enter_services(loader->services_entry->entry_paddr,
                            &(struct handover_services){
                                .rax = ENTRY_MAGIC,
                                .rbx = information_paddr(loader, start),
                            });
}

void protocol_multiboot2_enter(struct loader *loader)
{
    struct information_start *start = describe_all(loader);

    if (loader->services_entry) {
        enter_with_services(loader, start);
        return;
    }
    information_leave(loader);
    describe_memory(loader);
    describe_efi_memory(loader);
    finish(loader, start);
    information_enter(loader, ENTRY_MAGIC, information_paddr(loader, start), 0);
}
