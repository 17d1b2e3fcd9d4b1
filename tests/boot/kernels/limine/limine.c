/*
 * A kernel that makes every request of the Limine boot protocol that a PC can answer, and holds
 * each answer, and the machine that it is entered with, to the specification. REVISION is the base
 * revision that it asks for; without it there is no tag. Other macros: LIST, MARKERS, PAGING_MODE,
 * PAGING_LEAST, MP_FLAGS, STACK.
 */
#include "limine.h"

#include "../page_walk.h"
#include "../report.h"

#include <stddef.h>

#define LATEST 3u
#ifdef REVISION
#define SERVED (REVISION < LATEST ? REVISION : LATEST)
#else
#define SERVED 0u
#endif
#ifndef PAGING_MODE
#define PAGING_MODE 0
#define PAGING_LEAST 0
#endif
#ifndef MP_FLAGS
#define MP_FLAGS 0
#endif
#ifndef STACK
#define STACK 0x30000ull
#endif
#define LEAST_STACK (STACK > 0x10000 ? STACK : 0x10000)
#define MOST_CPUS 32u
#define FOUR_GIB 0x100000000ull
#define IO_APIC 0xfec00000ull

/* Offsets are entry.S's. */
struct state {
    uint64_t rsp, at_rsp, rflags, rax;             /* 0 */
    uint64_t rdi, others;                          /* 32 */
    uint64_t cr0, cr3, cr4, efer;                  /* 48 */
    uint64_t pat, mtrr_type, mtrr_base, mtrr_mask; /* 80 */
    uint64_t apic_base, gdt, gdt_limit;            /* 112 */
    uint16_t cs, ss, ds, es, fs, gs, padding[2];   /* 136 */
    volatile uint64_t arrived;                     /* 152 */
};
_Static_assert(sizeof(struct state) == 160, "entry.S");
struct state state, mp_states[MOST_CPUS];

extern const uint8_t load_start[], text_end[], data_start[], bss_end[], asked_entry[], mp_entry[];

void check(void);

#define IN(name) __attribute__((used, section(name)))
#define REQUEST(name, id_2, id_3, at_revision, ...)                                                \
    IN(".limine_requests")                                                                         \
    volatile struct request name = {                                                               \
        {COMMON_MAGIC, id_2, id_3}, at_revision, UNTOUCHED, {__VA_ARGS__}};

#ifdef REVISION
IN(".limine_requests")
volatile uint64_t tag[3] = {0xf9562b2d5c95a6c8, TAG_MAGIC_1, REVISION};
#endif
#ifdef MARKERS
IN(".limine_requests_start")
const volatile uint64_t start_marker[4] = {0xf6b8f4b39de7d1ae, 0xfab91a6940fcb9cf,
                                           0x785c6ed015d3e316, 0x181e920a7852b9d9};
IN(".limine_requests_end")
const volatile uint64_t end_marker[2] = {0xadc0e0531bb10d03, 0x9572709f31764c62};
/* One that lies behind them. */
IN(".data")
volatile struct request outside = {
    {COMMON_MAGIC, 0xf55038d8e2a1202f, 0x279426fcf5f59740}, 0, UNTOUCHED, {0, 0, 0}};
#endif

static const struct internal_module internal_modules[] = {
    {"inside", "for the kernel", 1},
    {"/folder/packed", NULL, 3},
    {"absent", NULL, 0},
};
static const struct internal_module *const internal_module_list[] = {
    &internal_modules[0], &internal_modules[1], &internal_modules[2]};

#ifndef MARKERS
REQUEST(bootloader_info, 0xf55038d8e2a1202f, 0x279426fcf5f59740, 0)
#endif
REQUEST(command_line, 0x4b161536e598651e, 0xb390ad4a2f1f303a, 0)
REQUEST(firmware_type, 0x8c2f75d90bef28a8, 0x7045a4688eac00c3, 0)
REQUEST(stack_size, 0x224ef0460a8e8926, 0xe1cb0fc25f46ea3d, 0, STACK)
REQUEST(hhdm, 0x48dcf1cb8ad2b852, 0x63984e959a98244b, 0)
REQUEST(framebuffer, 0x9d5827dcd881dd75, 0xa3148604f6fab11b, 1)
REQUEST(paging_mode, 0x95c1a0edab0944cb, 0xa4e5cb3842f7488a, 1, PAGING_MODE, PAGING_MODE,
        PAGING_LEAST)
REQUEST(mp, 0x95a67b819a1b857e, 0xa0b61b723b6a73e0, 0, MP_FLAGS)
REQUEST(memmap, 0x67cf3d9d378a806f, 0xe304acdfc50c3c62, 0)
REQUEST(entry_point, 0x13d86c035a1cd3e1, 0x2b0caa89d8f3026a, 0, (uint64_t)asked_entry)
REQUEST(executable_file, 0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69, 0)
REQUEST(module, 0x3e7e279702be32af, 0xca1c4f3bd1280cee, 1, 3, (uint64_t)internal_module_list)
REQUEST(rsdp, 0xc5e77b6b397e7b43, 0x27637845accdcf3c, 0)
REQUEST(smbios, 0x9e9046f11e095391, 0xaa4a520fefbde5ee, 0)
REQUEST(efi_system_table, 0x5ceba5163eaaf6d6, 0x0a6981610cf65fcc, 0)
REQUEST(efi_memmap, 0x7df62a431d6872d5, 0xa4fcdfb3e57306c8, 0)
REQUEST(date_at_boot, 0x502746e184c088aa, 0xfbc5ec83e6327893, 0)
REQUEST(executable_address, 0x71ba76863cc55f63, 0xb2644a48c516a487, 0)
REQUEST(performance, 0x6b50ad9bf36d13ad, 0xdc4c7e88fc759e17, 0)
REQUEST(device_tree, 0xb40ddb48fb54bac7, 0x545081493f81ffb7, 0)
REQUEST(unknown, 0x1111111111111111, 0x2222222222222222, 7)

#ifdef LIST
/* Only these count: not the one for the device tree, nor that for the date. */
IN(".limine_reqs")
volatile struct request *volatile list[] = {&bootloader_info,
                                            &command_line,
                                            &firmware_type,
                                            &stack_size,
                                            &hhdm,
                                            &framebuffer,
                                            &paging_mode,
                                            &mp,
                                            &memmap,
                                            &entry_point,
                                            &executable_file,
                                            &module,
                                            &rsdp,
                                            &smbios,
                                            &efi_system_table,
                                            &efi_memmap,
                                            &executable_address,
                                            &performance,
                                            NULL};
#endif

#define ADDRESS(symbol) ((uint64_t)(symbol))
#define KERNEL_BYTES (ADDRESS(bss_end) - ADDRESS(load_start))

static uint64_t offset; /* of the higher half direct map */

static const uint64_t *response_of(volatile struct request *request)
{
    return (const uint64_t *)request->response;
}

static bool is_answered(volatile struct request *request)
{
    return request->response != UNTOUCHED;
}

/* The machine. */

static void check_machine(void)
{
    const uint64_t *gdt = (const uint64_t *)state.gdt;
    uint8_t master, slave;

    report_check((state.rax | state.rdi | state.others) == 0, "general registers are 0");
    report_check(state.at_rsp == 0 && (state.rsp + 8) % 16 == 0,
                 "RSP leads to a return address of 0");
    report_check((state.rflags & 0x20600) == 0, "IF, DF and VM are clear");
    report_check((state.cr0 & 0x80010001) == 0x80010001, "CR0 has PG, WP and PE");
    report_check((state.cr4 & 0x20) != 0, "CR4 has PAE");
    report_check((state.efer & 0xd00) == 0xd00, "EFER has LME, LMA and NXE");
    report_check((state.pat & 0xffffffffffff) == 0x010500070406, "the PAT is Limine's");
    report_check(state.gdt_limit >= 7 * 8 - 1 && gdt[0] == 0,
                 "the GDT has a null descriptor and 6 more");
    report_check((gdt[1] & 0xfffffeffffffffff) == 0x00009a000000ffff &&
                     (gdt[2] & 0xfffffeffffffffff) == 0x000092000000ffff,
                 "then 16-bit code and data");
    report_check((gdt[3] & 0xfffffeffffffffff) == 0x00cf9a000000ffff &&
                     (gdt[4] & 0xfffffeffffffffff) == 0x00cf92000000ffff,
                 "then 32-bit code and data");
    report_check((gdt[5] >> 40 & 0xfa) == 0x9a && (gdt[5] >> 52 & 6) == 2 &&
                     (gdt[6] >> 40 & 0xfe) == 0x92,
                 "then 64-bit code and data");
    report_check(state.cs == 0x28 && state.ss == 0x30 && state.ds == 0x30 && state.es == 0x30 &&
                     state.fs == 0x30 && state.gs == 0x30,
                 "and all segments are 64-bit code and data");
    __asm__ volatile("inb $0x21, %0" : "=a"(master));
    __asm__ volatile("inb $0xa1, %0" : "=a"(slave));
    report_check(master == 0xff && slave == 0xff, "the PICs are masked");
}

static void check_tag(void)
{
#ifdef REVISION
    report_check(tag[1] == SERVED, "the tag tells the revision that is served");
    report_check(tag[2] == (REVISION <= LATEST ? 0 : REVISION), "and whether it is the wanted one");
#endif
}

/* Memory. */

static const struct memmap_entry *entry_at(uint64_t i)
{
    const struct memmap_entry *const *entries = (const void *)response_of(&memmap)[2];

    return entries[i];
}

static uint64_t entry_count(void)
{
    return response_of(&memmap)[1];
}

/* The type that all of [paddr, paddr + bytes) has; UINT64_MAX: no one. */
static uint64_t type_of(uint64_t paddr, uint64_t bytes)
{
    uint64_t type = UINT64_MAX;

    for (uint64_t i = 0; i < entry_count() && bytes > 0; i++) {
        const struct memmap_entry *entry = entry_at(i);

        if (paddr < entry->base || paddr - entry->base >= entry->length)
            continue;
        if (type != UINT64_MAX && type != entry->type)
            return UINT64_MAX;
        type = entry->type;
        uint64_t rest = entry->length - (paddr - entry->base);
        if (rest >= bytes)
            return type;
        paddr += rest;
        bytes -= rest;
    }
    return UINT64_MAX;
}

static bool is_reclaimable(const volatile void *start, uint64_t bytes)
{
    return (uint64_t)start >= offset &&
           type_of((uint64_t)start - offset, bytes) == BOOTLOADER_RECLAIMABLE;
}

static void check_map(void)
{
    bool sorted = true, aligned = true, apart = true, page_0 = true;
    uint64_t totals[8] = {0};

    for (uint64_t i = 0; i < entry_count(); i++) {
        const struct memmap_entry *entry = entry_at(i);
        const bool is_free = entry->type == USABLE || entry->type == BOOTLOADER_RECLAIMABLE;

        sorted = sorted && (i == 0 || entry->base >= entry_at(i - 1)->base);
        aligned = aligned && !(is_free && (entry->base | entry->length) % PAGE_BYTES != 0);
        for (uint64_t j = 0; j < entry_count() && is_free; j++)
            apart = apart && (i == j || entry_at(j)->base >= entry->base + entry->length ||
                              entry_at(j)->base + entry_at(j)->length <= entry->base);
        page_0 = page_0 && !(entry->type == USABLE && entry->base < PAGE_BYTES);
        if (entry->type < 8)
            totals[entry->type] += entry->length;
        else
            aligned = false;
    }
    report_check(sorted, "the memory map is sorted");
    report_check(aligned, "usable and reclaimable entries are made of pages, all types are known");
    report_check(apart, "and overlap no other");
    report_check(page_0 || SERVED >= 3, "page 0 is not usable before revision 3");
    report_value("usable", totals[USABLE]);
    report_value("reclaimable", totals[BOOTLOADER_RECLAIMABLE]);
    report_check(totals[EXECUTABLE_AND_MODULES] >= KERNEL_BYTES, "kernel and modules are told");
    bool all = is_reclaimable(response_of(&memmap), 24) &&
               is_reclaimable((const void *)response_of(&memmap)[2], 8 * entry_count());
    for (uint64_t i = 0; i < entry_count(); i++)
        all = all && is_reclaimable(entry_at(i), sizeof(struct memmap_entry));
    report_check(all, "the map itself lies in reclaimable memory");
    report_check(is_reclaimable((const void *)state.gdt, state.gdt_limit + 1), "so does the GDT");
    report_check(is_reclaimable((const void *)(state.rsp + 8 - LEAST_STACK), LEAST_STACK),
                 "and a stack of the size that was asked for");
}

static bool is_rwx(uint64_t vaddr, uint64_t paddr, unsigned caching, uint64_t *bytes)
{
    struct page page;

    if (!page_find(state.cr3, vaddr, &page))
        return false;
    *bytes = page.bytes - (vaddr - page.vaddr);
    return page.paddr + (vaddr - page.vaddr) == paddr && page.writable && page.executable &&
           page.caching == caching;
}

/* All whole pages of the range are mapped so, or none is. */
static bool is_mapped(uint64_t start, uint64_t end, uint64_t vaddr_offset, unsigned caching,
                      bool wanted)
{
    struct page page;
    uint64_t bytes = PAGE_BYTES;

    start = (start + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    end &= ~(uint64_t)(PAGE_BYTES - 1);
    for (uint64_t at = start; at < end; at += bytes) {
        if (wanted ? !is_rwx(at + vaddr_offset, at, caching, &bytes)
                   : page_find(state.cr3, at + vaddr_offset, &page))
            return false;
    }
    return true;
}

static bool is_wanted(uint64_t type)
{
    if (SERVED == 0)
        return true;
    if (SERVED < 3)
        return type != RESERVED && type != BAD_MEMORY;
    return type == USABLE || type == BOOTLOADER_RECLAIMABLE || type == EXECUTABLE_AND_MODULES ||
           type == FRAMEBUFFER;
}

static void check_mappings(void)
{
    bool direct = true, identity = true, unmapped = true;
    const uint64_t own_page = page_paddr(state.cr3, state.gdt) & ~(uint64_t)(PAGE_BYTES - 1);
    struct page page;
    uint64_t bytes;

    for (uint64_t i = 0; i < entry_count(); i++) {
        const struct memmap_entry *entry = entry_at(i);
        const uint64_t start = entry->base, end = entry->base + entry->length;
        const unsigned caching = entry->type == FRAMEBUFFER ? 5 : 0;
        const bool is_low = SERVED < 3 && start < FOUR_GIB;

        direct = direct && is_mapped(start, end, offset, caching, is_low || is_wanted(entry->type));
        if (SERVED == 0)
            identity = identity && is_mapped(start ? start : PAGE_BYTES, end, 0, caching, true);
        else if (own_page < start || own_page >= end)
            unmapped = unmapped && is_mapped(start, end, 0, caching, false);
    }
    report_check(direct, "each entry is mapped as the base revision says");
    report_check(identity && unmapped, "one to one in revision 0 alone");
    report_check(is_rwx(IO_APIC + offset, IO_APIC, 0, &bytes) == (SERVED < 3),
                 "the first 4 GiB are mapped before revision 3");
    report_check(is_rwx(IO_APIC, IO_APIC, 0, &bytes) == (SERVED == 0), "one to one, too");
    report_check(!page_find(state.cr3, 0, &page), "page 0 is not mapped one to one");
}

static void check_kernel(void)
{
    const uint64_t *address = response_of(&executable_address);
    bool contiguous = true, rights = true;
    struct page page;

    report_check(address[0] == 0 && address[2] == (uint64_t)load_start &&
                     address[2] >= 0xffffffff80000000,
                 "the executable's virtual base");
    for (uint64_t at = ADDRESS(load_start); at < ADDRESS(bss_end); at += PAGE_BYTES) {
        const bool is_text = at < ADDRESS(text_end), is_data = at >= ADDRESS(data_start);

        if (!page_find(state.cr3, at, &page)) {
            contiguous = contiguous && !is_text && !is_data; /* the hole */
            continue;
        }
        contiguous = contiguous && page.caching == 0 &&
                     page.paddr + (at - page.vaddr) == address[1] + (at - ADDRESS(load_start));
        rights = rights && page.writable == is_data && page.executable == is_text;
    }
    report_check(contiguous, "and its physical base: it lies in one piece, write-back");
    report_check(rights, "each segment has its own rights");
    report_check(type_of(address[1], KERNEL_BYTES) == EXECUTABLE_AND_MODULES,
                 "in memory of its type");
}

/* Texts and files. */

static bool is_text(const char *text, const char *wanted)
{
    while (*wanted && *text == *wanted)
        text++, wanted++;
    return *text == *wanted;
}

/* Byte n of file m is 7 * n + m; zeros behind it. */
static bool is_content(const struct file *file, uint64_t size, unsigned m)
{
    const uint64_t end = (size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    bool same = file->size == size && (uint64_t)file->address >= offset &&
                (uint64_t)file->address % PAGE_BYTES == 0;

    for (uint64_t at = 0; same && at < end; at++)
        same = file->address[at] == (at < size ? (uint8_t)(at * 7 + m) : 0);
    return same &&
           (size == 0 || type_of((uint64_t)file->address - offset, end) == EXECUTABLE_AND_MODULES);
}

static bool is_file(const struct file *file, const char *path, const char *string)
{
    return file->revision == 0 && is_text(file->path, path) && is_text(file->string, string) &&
           is_reclaimable(file, sizeof(*file)) && is_reclaimable(file->path, 2) &&
           (file->media_type | file->tftp_ip | file->tftp_port | file->gpt_disk_uuid[0] |
            file->gpt_part_uuid[0] | file->part_uuid[0]) == 0 &&
           file->partition_index == 1;
}

static void check_files(void)
{
    const struct file *own = (const void *)response_of(&executable_file)[1];
    const struct file *const *files = (const void *)response_of(&module)[2];

    report_check(response_of(&module)[0] >= 1 && response_of(&module)[1] == 5, "five modules");
    report_check(is_file(files[0], "/inside", "for the kernel") && is_content(files[0], 3000, 3),
                 "the kernel's own come first");
    report_check(is_file(files[1], "/folder/packed", "") && is_content(files[1], 9000, 4),
                 "one of them was compressed");
    report_check(is_file(files[2], "/first", "with arguments") && is_content(files[2], 5000, 0),
                 "then those of the image");
    report_check(is_file(files[3], "/m1", "") && is_content(files[3], 70000, 1), "the second");
    report_check(is_file(files[4], "/m2", "") && is_content(files[4], 0, 2), "an empty one");
    report_check(is_file(own, own->path, "one two  three") && own->address[0] == 0x7f &&
                     own->address[1] == 'E' && (uint64_t)own->address % PAGE_BYTES == 0,
                 "the executable file");
    report_check(own->string == (const char *)response_of(&command_line)[1] &&
                     is_reclaimable(own->string, 15),
                 "its command line");
    report_string("path", own->path);
    report_value("file_bytes", own->size);
    report_value("disk_id", own->mbr_disk_id);
}

/* The firmware. */

static bool begins(uint64_t address, const char *wanted)
{
    const char *at = (const char *)address;

    while (*wanted && *at == *wanted)
        at++, wanted++;
    return *wanted == 0;
}

/* From revision 3 on an address is physical, and what is there need not be mapped. */
static bool is_table(uint64_t address, const char *wanted)
{
    return SERVED >= 3 ? address > 0 && address < 1ull << 52
                       : address >= offset && begins(address, wanted);
}

static uint64_t physical(uint64_t address)
{
    return address >= offset ? address - offset : address;
}

static void check_tables(bool is_uefi)
{
    const uint64_t *entries = response_of(&smbios);

    report_check(is_table(response_of(&rsdp)[1], "RSD PTR "), "the RSDP");
    report_check((entries[1] | entries[2]) && (!entries[1] || is_table(entries[1], "_SM_")) &&
                     (!entries[2] || is_table(entries[2], "_SM3_")),
                 "the entry points of SMBIOS");
    report_value("rsdp", physical(response_of(&rsdp)[1]));
    report_value("smbios", physical(entries[1] ? entries[1] : entries[2]));
    if (!is_uefi) {
        report_check(!is_answered(&efi_system_table) && !is_answered(&efi_memmap), "no EFI");
        return;
    }
    report_check(is_table(response_of(&efi_system_table)[1], "IBI SYST"), "the EFI system table");
    report_value("efi_system_table", physical(response_of(&efi_system_table)[1]));
}

static void check_efi_map(void)
{
    const uint64_t *map = response_of(&efi_memmap);
    bool boot = true, conventional = true;

    report_check(map[0] == 0 && map[3] >= 40 && map[4] == 1 && map[2] % map[3] == 0 &&
                     is_reclaimable((const void *)map[1], map[2]),
                 "the EFI memory map");
    for (uint64_t at = map[1]; at < map[1] + map[2]; at += map[3]) {
        const uint64_t *words = (const uint64_t *)at;
        const uint64_t start = words[1] ? words[1] : PAGE_BYTES;
        const uint64_t bytes = words[3] * PAGE_BYTES - (start - words[1]);
        const uint32_t type = (uint32_t)words[0];

        if (bytes > 0 && (type == 3 || type == 4))
            boot = boot && type_of(start, bytes) == BOOTLOADER_RECLAIMABLE;
        if (bytes > 0 && type == 7)
            conventional = conventional && type_of(start, bytes) == USABLE;
    }
    report_check(boot, "what boot services had is reclaimable");
    report_check(conventional, "what nobody had is usable");
}

/* The screen. */

static void check_framebuffer(void)
{
    const struct framebuffer *const *list = (const void *)response_of(&framebuffer)[2];
    const struct framebuffer *screen = list[0];
    volatile uint32_t *pixel = (volatile uint32_t *)screen->address;
    bool has_mode = false, modes = screen->mode_count > 0;

    report_check(response_of(&framebuffer)[0] >= 1 && response_of(&framebuffer)[1] == 1 &&
                     is_reclaimable(screen, sizeof(*screen)) && screen->memory_model == 1,
                 "a framebuffer");
    report_check(screen->pitch >= screen->width * (screen->bpp / 8) &&
                     screen->red_size + screen->green_size + screen->blue_size <= screen->bpp &&
                     screen->red_size && screen->green_size && screen->blue_size &&
                     screen->red_shift != screen->green_shift &&
                     screen->green_shift != screen->blue_shift,
                 "its pixels");
    uint32_t was = *pixel;
    *pixel = 0x00a5c3f0;
    report_check((*pixel & 0xffffff) == 0xa5c3f0 &&
                     type_of(screen->address - offset, screen->pitch * screen->height) ==
                         FRAMEBUFFER,
                 "can be written");
    *pixel = was;
    for (uint64_t i = 0; i < screen->mode_count; i++) {
        const struct video_mode *mode = screen->modes[i];

        modes = modes && is_reclaimable(mode, sizeof(*mode)) && mode->memory_model == 1 &&
                mode->pitch >= mode->width * (mode->bpp / 8) && mode->red_size;
        has_mode = has_mode || (mode->width == screen->width && mode->height == screen->height &&
                                mode->bpp == screen->bpp && mode->red_shift == screen->red_shift);
    }
    report_check(modes && has_mode, "its modes, the one that is set among them");
    report_check(screen->edid_size == 0
                     ? screen->edid == 0
                     : *(const uint64_t *)screen->edid == 0x00ffffffffffff00 &&
                           screen->edid_size % 128 == 0 &&
                           is_reclaimable((const void *)screen->edid, screen->edid_size),
                 "its EDID");
    report_value("width", screen->width);
    report_value("height", screen->height);
    report_value("modes", screen->mode_count);
    report_value("edid", screen->edid_size);
}

/* The other CPUs. */

static void check_cpu(const struct mp_info *info, uint64_t i)
{
    const struct state *there = &mp_states[i];

    report_check(there->rdi == (uint64_t)info && (there->rax | there->others) == 0 &&
                     there->at_rsp == 0 && (there->rsp + 8) % 16 == 0,
                 "another CPU: RDI leads to its struct, all else is 0");
    report_check(is_reclaimable((const void *)(there->rsp + 8 - LEAST_STACK), LEAST_STACK),
                 "it has a stack of its own");
    report_check(
        (there->rflags & 0x20600) == 0 && there->cr0 == state.cr0 && there->cr3 == state.cr3 &&
            there->cr4 == state.cr4 && there->efer == state.efer && there->pat == state.pat &&
            there->gdt == state.gdt && there->cs == 0x28 && there->ss == 0x30 &&
            there->ds == 0x30 && there->es == 0x30 && there->fs == 0x30 && there->gs == 0x30,
        "and the boot processor's state");
    report_check(there->mtrr_type == state.mtrr_type && there->mtrr_base == state.mtrr_base &&
                     there->mtrr_mask == state.mtrr_mask,
                 "its memory types, too");
}

static void check_mp(void)
{
    const uint64_t *response = response_of(&mp);
    const uint32_t flags = (uint32_t)response[1], own = (uint32_t)(response[1] >> 32);
    struct mp_info *const *infos = (void *)response[3];
    uint64_t count = response[2], boot = 0;

    report_value("cpus", count);
    report_check(count >= 1 && count <= MOST_CPUS && is_reclaimable(infos, 8 * count),
                 "there are CPUs");
    for (uint64_t i = 0; i < count; i++) {
        boot += infos[i]->lapic_id == own;
        if (infos[i]->goto_address != 0 || !is_reclaimable(infos[i], sizeof(*infos[i])))
            boot += 2;
    }
    report_check(boot == 1, "the boot processor is one of them, none goes anywhere yet");
    report_check((state.apic_base >> 10 & 1) == (flags & 1), "x2APIC is what the APIC says");
    report_value("x2apic", flags);
    for (uint64_t i = 0; i < count; i++) {
        if (infos[i]->lapic_id == own)
            continue;
        infos[i]->extra_argument = i;
        __atomic_store_n(&infos[i]->goto_address, (uint64_t)mp_entry, __ATOMIC_SEQ_CST);
        while (!mp_states[i].arrived)
            __asm__ volatile("pause");
        check_cpu(infos[i], i);
    }
}

static void check_rest(void)
{
#ifndef MARKERS
    const uint64_t *info = response_of(&bootloader_info);

    report_check(info[0] == 0 && is_text((const char *)info[1], "bootimage") &&
                     *(const char *)info[2] && is_reclaimable((const void *)info[1], 10),
                 "the loader's name and version");
#else
    report_check(outside.response == UNTOUCHED, "a request behind the markers is not answered");
#endif
    report_check(is_text((const char *)response_of(&command_line)[1], "one two  three"),
                 "the command line");
    report_check(is_answered(&stack_size) && is_answered(&entry_point),
                 "stack size and entry point");
    report_check(response_of(&paging_mode)[1] == page_levels() - 4, "the paging mode");
    report_value("paging_mode", response_of(&paging_mode)[1]);
    report_check(!is_answered(&device_tree) && !is_answered(&unknown),
                 "what cannot be answered is left as it was");
#ifdef LIST
    report_check(!is_answered(&date_at_boot), "what is not in the list is not answered");
#else
    report_value("date", response_of(&date_at_boot)[1]);
#endif
    const uint64_t *times = response_of(&performance);
    report_check(times[1] <= times[2] && times[2] < times[3] && times[3] < 600000000,
                 "the times of reset, loader and kernel");
    report_value("init_us", times[2]);
    report_value("exec_us", times[3]);
}

void check(void)
{
    report_entered();
    check_machine();
    check_tag();
    report_check(is_answered(&hhdm) && is_answered(&memmap) && is_answered(&executable_address),
                 "requests are answered");
    offset = response_of(&hhdm)[1];
    report_check(offset == page_physical_memory(), "the higher half direct map");
    check_map();
    check_mappings();
    check_kernel();
    check_files();
    bool is_uefi = response_of(&firmware_type)[1] == 2;
    report_value("firmware", response_of(&firmware_type)[1]);
    check_tables(is_uefi);
    if (is_uefi)
        check_efi_map();
    if (is_answered(&framebuffer))
        check_framebuffer();
    check_mp();
    check_rest();
    report_done();
}
