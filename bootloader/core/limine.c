/*
 * Answers for kernels of the Limine boot protocol: each is built in memory of the loader, and its
 * address put where the tool has found the request. A request without an answer is left as it is.
 */
#include "limine.h"

#include "loader.h"
#include "log.h"

#include <string.h>

#define FIRMWARE_X86BIOS 0u
#define FIRMWARE_EFI64 2u
#define RESPONSE_OFFSET 40u /* in a request */
#define FRAMEBUFFER_RGB 1u
#define MOST_MODES 256u
/* How many ranges leaving the firmware may add to the memory map. */
#define MAP_CHANGES 64u
#define LEAST_DESCRIPTOR_BYTES 40u
#define MP_IS_X2APIC 1u
/* Revision; when the machine was reset, and when the loader and the kernel were started. */
#define PERFORMANCE_WORDS 4
#define PHYSICAL_TABLES_REVISION                                                                   \
    3u /* from here on, the firmware's tables have physical addresses */
/* [UEFI §7.2.1 "EFI_BOOT_SERVICES.AllocatePages()", "Memory Type Usage before ExitBootServices()"]
   Loader code and data, boot services code and data. */
#define EFI_FIRST_RECLAIMABLE 1u
#define EFI_LAST_RECLAIMABLE 4u

struct limine_framebuffer {
    uint64_t address;              /* 0 */
    uint64_t width, height, pitch; /* 8, 16, 24 */
    uint16_t bpp;                  /* 32 */
    uint8_t memory_model;          /* 34 */
    uint8_t masks[6];              /* 35: size and shift of red, green, blue */
    uint8_t unused[7];             /* 41 */
    uint64_t edid_size, edid;      /* 48, 56 */
    uint64_t mode_count, modes;    /* 64, 72 */
};
_Static_assert(sizeof(struct limine_framebuffer) == 80, "limine_framebuffer");

struct limine_video_mode {
    uint64_t pitch, width, height; /* 0, 8, 16 */
    uint16_t bpp;                  /* 24 */
    uint8_t memory_model;          /* 26 */
    uint8_t masks[6];              /* 27 */
    uint8_t padding[7];            /* 33 */
};
_Static_assert(sizeof(struct limine_video_mode) == 40, "limine_video_mode");

/* [Limine "File Structure"] */
struct limine_file {
    uint64_t revision;           /* 0 */
    uint64_t address, size;      /* 8, 16 */
    uint64_t path, string;       /* 24, 32 */
    uint32_t media_type, unused; /* 40, 44 */
    uint32_t tftp_ip, tftp_port; /* 48, 52 */
    uint32_t partition_index;    /* 56: from 1 on */
    uint32_t mbr_disk_id;        /* 60 */
    uint8_t uuids[48];           /* 64: of the disk and the partition in a GPT, of the volume */
};
_Static_assert(sizeof(struct limine_file) == 112, "limine_file");

/* The payload's partition is the first of the image. */
#define PARTITION_INDEX 1u

/* Memory for answers, zeroed, at a multiple of 8. */
static void *take(struct loader *loader, uint64_t bytes)
{
    struct limine *limine = &loader->limine;

    bytes = (bytes + 7) & ~7ull;
    if (bytes > limine->block_bytes - limine->used) {
        limine->block_bytes = bytes > MEMORY_PAGE_BYTES ? bytes : MEMORY_PAGE_BYTES;
        limine->block = (void *)(uintptr_t)memory_map_take_pages(&loader->map, limine->block_bytes);
        limine->used = 0;
    }
    limine->used += bytes;
    return limine->block + (limine->used - bytes);
}

static uint64_t vaddr_of(const struct loader *loader, const void *part)
{
    return address_space_vaddr(&loader->space, (uintptr_t)part);
}

static bool is_asked(const struct loader *loader, enum plan_limine_feature feature)
{
    return loader->limine.responses[feature];
}

/* A response of these words, of which the first is its revision; if the kernel asks for it. */
static void respond(struct loader *loader, enum plan_limine_feature feature, const uint64_t *words,
                    uint64_t bytes)
{
    if (!is_asked(loader, feature))
        return;
    void *response = take(loader, bytes);

    memcpy(response, words, bytes);
    *loader->limine.responses[feature] = vaddr_of(loader, response);
}

#define RESPOND(loader, feature, ...)                                                              \
    respond(loader, feature, (const uint64_t[]){__VA_ARGS__},                                      \
            sizeof((const uint64_t[]){__VA_ARGS__}))

/* Where the plan's region with this address was loaded. */
static uint8_t *find_loaded(const struct plan *plan, uint64_t vaddr)
{
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;

        if (vaddr - region->vaddr < region->bytes)
            return (uint8_t *)(uintptr_t)(plan_load_paddr(region) + (vaddr - region->vaddr));
    }
    fail(ERROR_PLAN_DAMAGED, {"request at", vaddr});
}

void limine_start(struct loader *loader)
{
    const struct plan_limine *record = (const void *)plan_find(&loader->plan, NULL, PLAN_LIMINE);
    struct limine *limine = &loader->limine;

    limine->base_revision = record->base_revision;
    limine->wants_x2apic = record->flags & PLAN_LIMINE_X2APIC;
    for (uint32_t i = 0; i < record->count; i++) {
        const struct plan_limine_request *request = &record->requests[i];
        uint8_t *loaded = find_loaded(&loader->plan, request->vaddr + loader->protocol->slide);

        limine->responses[request->feature] = (uint64_t *)(void *)(loaded + RESPONSE_OFFSET);
    }
}

/* Files. */

static uint64_t copy_path(struct loader *loader, const char *name, uint64_t bytes)
{
    char *path = take(loader, bytes + 1);

    *path = '/';
    memcpy(path + 1, name, bytes);
    return vaddr_of(loader, path + (*name == '/'));
}

static uint64_t add_file(struct loader *loader, const struct plan_module *module, uint64_t address,
                         uint64_t string)
{
    struct limine_file *file = take(loader, sizeof(*file));

    *file = (struct limine_file){
        /* An empty file lies nowhere, but no pointer may be NULL. */
        .address = address ? address : vaddr_of(loader, loader->limine.block),
        .size = module->bytes,
        .path = copy_path(loader, module->text, module->name_bytes),
        .string = string,
        .partition_index = PARTITION_INDEX,
        .mbr_disk_id = loader->boot.disk_signature,
    };
    return vaddr_of(loader, file);
}

static void answer_modules(struct loader *loader)
{
    const struct bootinfo_module *loaded = modules_list(&loader->modules);
    const uint64_t count = loader->modules.count;
    const struct plan_record *record = NULL;

    if (count == 0 || !is_asked(loader, PLAN_LIMINE_MODULE))
        return;
    uint64_t *pointers = take(loader, count * sizeof(*pointers));
    for (uint64_t i = 0; (record = plan_find(&loader->plan, record, PLAN_MODULE));) {
        const struct plan_module *module = (const void *)record;

        if (module->flags & PLAN_MODULE_KERNEL_FILE)
            continue;
        pointers[i] = add_file(loader, module, loaded[i].address, loaded[i].arguments);
        i++;
    }
    RESPOND(loader, PLAN_LIMINE_MODULE, 2, count, vaddr_of(loader, pointers));
}

static void answer_executable_file(struct loader *loader)
{
    const struct plan_record *record = NULL;

    while (is_asked(loader, PLAN_LIMINE_EXECUTABLE_FILE) &&
           (record = plan_find(&loader->plan, record, PLAN_MODULE))) {
        const struct plan_module *module = (const void *)record;

        if (module->flags & PLAN_MODULE_KERNEL_FILE)
            RESPOND(
                loader, PLAN_LIMINE_EXECUTABLE_FILE, 0,
                add_file(loader, module, loader->modules.kernel_file, loader->info->command_line));
    }
}

/* The screen. */

static void set_masks(uint8_t masks[6], const struct bootinfo_framebuffer *from)
{
    const uint8_t values[6] = {from->red_bits,    from->red_shift, from->green_bits,
                               from->green_shift, from->blue_bits, from->blue_shift};

    memcpy(masks, values, sizeof(values));
}

static uint64_t add_modes(struct loader *loader, uint64_t *count)
{
    uint64_t *pointers = take(loader, MOST_MODES * sizeof(*pointers));
    struct bootinfo_framebuffer found;
    uint32_t index = 0;

    for (*count = 0; *count < MOST_MODES && firmware_next_video(&index, &found); ++*count) {
        struct limine_video_mode *mode = take(loader, sizeof(*mode));

        *mode = (struct limine_video_mode){
            .pitch = found.pitch_bytes,
            .width = found.width,
            .height = found.height,
            .bpp = found.bits_per_pixel,
            .memory_model = FRAMEBUFFER_RGB,
        };
        set_masks(mode->masks, &found);
        pointers[*count] = vaddr_of(loader, mode);
    }
    return vaddr_of(loader, pointers);
}

static void answer_framebuffer(struct loader *loader)
{
    const struct bootinfo_framebuffer *found = &loader->framebuffer;

    if (found->bytes == 0 || !is_asked(loader, PLAN_LIMINE_FRAMEBUFFER))
        return;
    struct limine_framebuffer *framebuffer = take(loader, sizeof(*framebuffer));
    uint64_t *pointer = take(loader, sizeof(*pointer));
    const struct bootinfo_framebuffer *told =
        (const void *)(uintptr_t)(loader->info->framebuffers - loader->space.physical_memory);

    *framebuffer = (struct limine_framebuffer){
        .address = address_space_vaddr(&loader->space, found->paddr),
        .width = found->width,
        .height = found->height,
        .pitch = found->pitch_bytes,
        .bpp = found->bits_per_pixel,
        .memory_model = FRAMEBUFFER_RGB,
        .edid_size = told->edid_bytes,
        .edid = told->edid_bytes ? told->edid : 0,
    };
    set_masks(framebuffer->masks, found);
    framebuffer->modes = add_modes(loader, &framebuffer->mode_count);
    *pointer = vaddr_of(loader, framebuffer);
    RESPOND(loader, PLAN_LIMINE_FRAMEBUFFER, 1, 1, vaddr_of(loader, pointer));
}

/* The firmware. */

/* 0 stays 0: there is none. */
static uint64_t table_address(const struct loader *loader, uint64_t paddr)
{
    if (paddr == 0 || loader->limine.base_revision >= PHYSICAL_TABLES_REVISION)
        return paddr;
    return address_space_vaddr(&loader->space, paddr);
}

static void answer_tables(struct loader *loader)
{
    const struct bootinfo *info = loader->info;
    const uint64_t smbios = table_address(loader, info->smbios_paddr);
    const uint64_t smbios3 = table_address(loader, info->smbios3_paddr);

    if (info->rsdp_paddr)
        RESPOND(loader, PLAN_LIMINE_RSDP, 0, table_address(loader, info->rsdp_paddr));
    if (smbios || smbios3)
        RESPOND(loader, PLAN_LIMINE_SMBIOS, 0, smbios, smbios3);
    if (info->efi_system_table_paddr)
        RESPOND(loader, PLAN_LIMINE_EFI_SYSTEM_TABLE, 0,
                table_address(loader, info->efi_system_table_paddr));
}

/* What comes last. */

static void take_memmap(struct loader *loader)
{
    struct limine *limine = &loader->limine;

    if (!is_asked(loader, PLAN_LIMINE_MEMORY_MAP))
        return;
    limine->memmap_most =
        loader->map.count + MAP_CHANGES + 2 * firmware_map_bytes() / LEAST_DESCRIPTOR_BYTES;
    limine->memmap_pointers = take(loader, limine->memmap_most * sizeof(uint64_t));
    limine->memmap_entries = take(loader, limine->memmap_most * sizeof(*limine->memmap_entries));
}

/* Each CPU waits at its own struct limine_mp_info. */
static void take_mp(struct loader *loader)
{
    struct limine *limine = &loader->limine;
    const uint64_t count = loader->info->cpu_count;

    if (count == 0)
        return;
    struct bootinfo_cpu *cpus =
        (void *)(uintptr_t)(loader->info->cpus - loader->space.physical_memory);
    limine->mp_pointers = take(loader, count * sizeof(uint64_t));
    limine->mp_infos = take(loader, count * sizeof(*limine->mp_infos));
    for (uint64_t i = 0; i < count; i++) {
        limine->mp_infos[i].processor_id = cpus[i].processor_id;
        limine->mp_infos[i].lapic_id = cpus[i].apic_id;
        cpus[i].argument = vaddr_of(loader, &limine->mp_infos[i]);
    }
}

void limine_answer(struct loader *loader)
{
    const struct bootinfo *info = loader->info;

    RESPOND(loader, PLAN_LIMINE_BOOTLOADER_INFO, 0, info->loader_name, info->loader_version);
    RESPOND(loader, PLAN_LIMINE_COMMAND_LINE, 0, info->command_line);
    RESPOND(loader, PLAN_LIMINE_FIRMWARE_TYPE, 0,
            info->firmware == BOOTINFO_FIRMWARE_UEFI ? FIRMWARE_EFI64 : FIRMWARE_X86BIOS);
    RESPOND(loader, PLAN_LIMINE_STACK_SIZE, 0);
    RESPOND(loader, PLAN_LIMINE_HHDM, 0, loader->space.physical_memory);
    RESPOND(loader, PLAN_LIMINE_PAGING_MODE, 0, loader->space.levels == 5);
    RESPOND(loader, PLAN_LIMINE_ENTRY_POINT, 0);
    RESPOND(loader, PLAN_LIMINE_EXECUTABLE_ADDRESS, 0, info->kernel_paddr, info->kernel_vaddr);
    if (info->wall_clock_s)
        RESPOND(loader, PLAN_LIMINE_DATE_AT_BOOT, 0, (uint64_t)info->wall_clock_s);
    answer_executable_file(loader);
    answer_modules(loader);
    answer_framebuffer(loader);
    answer_tables(loader);
    take_memmap(loader);
    take_mp(loader);
    /* Answered last, but not taken last. */
    RESPOND(loader, PLAN_LIMINE_MEMORY_MAP, 0, 0, 0);
    RESPOND(loader, PLAN_LIMINE_MP, 0, 0, 0, 0);
    if (firmware_map_bytes() > 0)
        RESPOND(loader, PLAN_LIMINE_EFI_MEMORY_MAP, 0, 0, 0, 0, 0);
    loader->limine.performance = take(loader, PERFORMANCE_WORDS * sizeof(uint64_t));
}

/* Of a response that was taken before: its words behind the revision. */
static uint64_t *words_of(const struct loader *loader, enum plan_limine_feature feature)
{
    const uint64_t vaddr = *loader->limine.responses[feature];

    return (uint64_t *)(uintptr_t)(vaddr - loader->space.physical_memory) + 1;
}

uint64_t limine_memory_type(uint32_t type)
{
    switch (type) {
    case BOOTINFO_MEMORY_USABLE:
    case MEMORY_SHADOWED:
    case MEMORY_LEASED:
    case MEMORY_STAGED:
        return LIMINE_MEMMAP_USABLE;
    case BOOTINFO_MEMORY_ACPI_RECLAIMABLE:
        return LIMINE_MEMMAP_ACPI_RECLAIMABLE;
    case BOOTINFO_MEMORY_ACPI_NVS:
        return LIMINE_MEMMAP_ACPI_NVS;
    case BOOTINFO_MEMORY_BAD:
        return LIMINE_MEMMAP_BAD_MEMORY;
    case BOOTINFO_MEMORY_LOADER:
        return LIMINE_MEMMAP_BOOTLOADER_RECLAIMABLE;
    case BOOTINFO_MEMORY_KERNEL:
    case BOOTINFO_MEMORY_MODULE:
        return LIMINE_MEMMAP_EXECUTABLE_AND_MODULES;
    case BOOTINFO_MEMORY_FRAMEBUFFER:
        return LIMINE_MEMMAP_FRAMEBUFFER;
    default:
        return LIMINE_MEMMAP_RESERVED;
    }
}

/* What the firmware used until it was left is to be told from what nobody did [Limine "EFI Memory
   Map Entry Type to Limine Memory Map Type"]. */
static void reclaim_efi_memory(struct loader *loader)
{
    const struct bootinfo *info = loader->info;

    for (uint64_t at = 0; at + info->efi_descriptor_bytes <= info->efi_memory_map_bytes &&
                          info->efi_descriptor_bytes >= LEAST_DESCRIPTOR_BYTES;
         at += info->efi_descriptor_bytes) {
        uint64_t words[4]; /* type, physical and virtual address, pages */

        memcpy(words, (const void *)(uintptr_t)(info->efi_memory_map + at), sizeof(words));
        const uint32_t type = (uint32_t)words[0];
        if (type >= EFI_FIRST_RECLAIMABLE && type <= EFI_LAST_RECLAIMABLE)
            memory_map_retype(&loader->map, words[1], words[3] * MEMORY_PAGE_BYTES,
                              BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_LOADER);
    }
}

static void answer_memmap(struct loader *loader)
{
    const struct memory_map *map = &loader->map;
    struct limine *limine = &loader->limine;

    if (!is_asked(loader, PLAN_LIMINE_MEMORY_MAP))
        return;
    if (map->count > limine->memmap_most)
        fail(ERROR_MEMORY_MAP_FULL, {"entries", map->count});
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];

        limine->memmap_entries[i] = (struct limine_memmap_entry){range->base_paddr, range->bytes,
                                                                 limine_memory_type(range->type)};
        limine->memmap_pointers[i] = vaddr_of(loader, &limine->memmap_entries[i]);
    }
    uint64_t *words = words_of(loader, PLAN_LIMINE_MEMORY_MAP);
    words[0] = map->count;
    words[1] = vaddr_of(loader, limine->memmap_pointers);
}

/* Those that have come. */
static void answer_mp(struct loader *loader)
{
    const struct bootinfo *info = loader->info;
    struct limine *limine = &loader->limine;

    if (!is_asked(loader, PLAN_LIMINE_MP))
        return;
    const struct bootinfo_cpu *cpus =
        (const void *)(uintptr_t)(info->cpus - loader->space.physical_memory);
    uint64_t *words = words_of(loader, PLAN_LIMINE_MP);
    words[0] = (uint64_t)loader->apic.id << 32 | (loader->apic.is_x2apic ? MP_IS_X2APIC : 0);
    for (uint64_t i = 0; i < info->cpu_count; i++) {
        if (cpus[i].state != BOOTINFO_CPU_ABSENT)
            limine->mp_pointers[words[1]++] = vaddr_of(loader, &limine->mp_infos[i]);
    }
    words[2] = vaddr_of(loader, limine->mp_pointers);
}

static void answer_efi_memory_map(struct loader *loader)
{
    const struct bootinfo *info = loader->info;

    if (!is_asked(loader, PLAN_LIMINE_EFI_MEMORY_MAP) || info->efi_memory_map_bytes == 0)
        return;
    uint64_t *words = words_of(loader, PLAN_LIMINE_EFI_MEMORY_MAP);
    words[0] = address_space_vaddr(&loader->space, info->efi_memory_map);
    words[1] = info->efi_memory_map_bytes;
    words[2] = info->efi_descriptor_bytes;
    words[3] = info->efi_descriptor_version;
}

/* In microseconds since the time stamp counter was 0, which is the machine's reset. Where nobody
   knows how fast it runs there is no answer. */
static void answer_performance(struct loader *loader)
{
    const uint64_t hz = is_asked(loader, PLAN_LIMINE_PERFORMANCE) ? firmware_tsc_hz() : 0;
    const uint64_t mhz = hz / 1000000;

    if (mhz == 0)
        return;
    const uint64_t words[PERFORMANCE_WORDS] = {0, 0, loader->boot.tsc_stage1 / mhz,
                                               cpu_read_tsc() / mhz};
    memcpy(loader->limine.performance, words, sizeof(words));
    *loader->limine.responses[PLAN_LIMINE_PERFORMANCE] =
        vaddr_of(loader, loader->limine.performance);
}

void limine_answer_last(struct loader *loader)
{
    reclaim_efi_memory(loader);
    answer_memmap(loader);
    answer_mp(loader);
    answer_efi_memory_map(loader);
    answer_performance(loader);
}
