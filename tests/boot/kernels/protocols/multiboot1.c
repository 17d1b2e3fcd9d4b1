/*
 * Multiboot 1, as the specification has it: the machine (§3.2) and each field of the information
 * (§3.3). The test gives three modules and a command line.
 */
#include "state.h"

#define FLAG(n) (info->flags >> (n)&1)

struct info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t shdr_num, shdr_size, shdr_addr, shdr_shndx;
    uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
    uint32_t apm_table, vbe_control_info, vbe_mode_info;
    uint16_t vbe_mode, vbe_interface[3];
    uint64_t framebuffer_addr;
    uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
    uint8_t framebuffer_bpp, framebuffer_type, color_info[6];
} __attribute__((packed));

struct module {
    uint32_t start, end, string, reserved;
};

struct memory {
    uint32_t size;
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

static void check_modules(const struct info *info)
{
    const struct module *modules = (const struct module *)info->mods_addr;

    report_check(FLAG(3) && info->mods_count == 3, "three modules");
    report_check(is_text((const char *)modules[0].string, "first with arguments") &&
                     is_text((const char *)modules[1].string, "m1"),
                 "their strings");
    report_check(modules[0].end - modules[0].start == 5000 &&
                     modules[1].end - modules[1].start == 70000 &&
                     modules[2].end == modules[2].start,
                 "their sizes");
    report_check(modules[0].start % 4096 == 0 && modules[1].start % 4096 == 0 &&
                     modules[0].reserved == 0 && modules[1].reserved == 0,
                 "aligned to pages");
    report_check(is_module(modules[0].start, modules[0].end, 0) &&
                     is_module(modules[1].start, modules[1].end, 1),
                 "their bytes");
}

static void check_memory(const struct info *info)
{
    struct map_check map = {.is_sorted = true};
    uint32_t at = info->mmap_addr, end = at + info->mmap_length;
    uint64_t upper = 0;

    while (at < end) {
        const struct memory *entry = (const struct memory *)at;

        if (entry->size < 20)
            break;
        map_check(&map, entry->base, entry->length, entry->type);
        if (entry->type == 1 && entry->base <= ONE_MIB && entry->base + entry->length > ONE_MIB)
            upper = entry->base + entry->length - ONE_MIB;
        at += entry->size + 4;
    }
    report_check(FLAG(6) && at == end && info->mmap_length > 0, "a memory map of whole entries");
    report_check(map.is_sorted, "sorted and disjoint");
    report_check(map.has_kernel, "the kernel lies in usable memory");
    report_check(FLAG(0) && info->mem_lower <= 640 && info->mem_lower >= 256, "lower memory");
    report_check(info->mem_upper == upper / 1024, "upper memory, up to the first hole");
    report_value("usable", map.usable);
}

struct section {
    uint32_t name, type, flags, addr, offset, size, link, info, align, entry_size;
};

static void check_sections(const struct info *info)
{
    const struct section *sections = (const struct section *)info->shdr_addr;
    const char *names = (const char *)sections[info->shdr_shndx].addr;
    bool has_text = false, has_symbol = false;

    report_check(FLAG(5) && !FLAG(4) && info->shdr_size == sizeof(struct section),
                 "section headers");
    for (uint32_t i = 1; i < info->shdr_num; i++) {
        has_text |= is_text(names + sections[i].name, ".text") &&
                    sections[i].addr <= (uint32_t)check &&
                    (uint32_t)check - sections[i].addr < sections[i].size;
        if (sections[i].type != 2)
            continue;
        const char *strings = (const char *)sections[sections[i].link].addr;
        for (uint32_t at = 0; at < sections[i].size; at += 16) {
            const uint32_t *symbol = (const uint32_t *)(sections[i].addr + at);

            has_symbol |= is_text(strings + symbol[0], "check") && symbol[1] == (uint32_t)check;
        }
    }
    report_check(has_text && has_symbol, "names, symbols and their strings are loaded");
}

static void check_screen(const struct info *info)
{
    report_value("framebuffer_type", FLAG(12) ? info->framebuffer_type : 0xff);
    report_value("framebuffer_width", info->framebuffer_width);
    report_value("framebuffer_height", info->framebuffer_height);
    report_value("framebuffer_bpp", info->framebuffer_bpp);
    if (!FLAG(12) || info->framebuffer_type == 2) {
        report_check(!FLAG(12) ||
                         (info->framebuffer_addr == 0xb8000 && info->framebuffer_pitch == 160),
                     "the text screen, or none");
        return;
    }
    volatile uint32_t *pixel = (volatile uint32_t *)(uint32_t)info->framebuffer_addr;
    *pixel = 0x123456;
    report_check(
        info->framebuffer_type == 1 && *pixel == 0x123456 &&
            info->framebuffer_pitch >= info->framebuffer_width * info->framebuffer_bpp / 8 &&
            info->color_info[1] == 8 && info->color_info[3] == 8 && info->color_info[5] == 8,
        "a framebuffer with colours");
}

/* The boot device tells of a BIOS. */
static void check_bios(const struct info *info)
{
    if (!FLAG(1)) {
        report_check(!FLAG(10) && !FLAG(11), "nothing of a BIOS");
        return;
    }
    report_check(FLAG(10) && is_apm((const struct apm *)info->apm_table), "the APM table");
    if (!FLAG(12) || info->framebuffer_type != 1)
        return;
    report_check(FLAG(11) && is_vbe((const uint8_t *)info->vbe_control_info,
                                    (const uint8_t *)info->vbe_mode_info, info->vbe_mode,
                                    info->framebuffer_width, info->framebuffer_height,
                                    info->framebuffer_addr),
                 "VBE information");
}

void check(void)
{
    const struct info *info = (const struct info *)state.ebx;

    report_entered();
    report_check(state.eax == 0x2badb002, "EAX is the magic number");
    check_machine();
    report_check(is_apart((uint32_t)info, (uint32_t)info + sizeof(*info)) && state.ebx % 4 == 0,
                 "the information is apart from the kernel");
    report_value("flags", info->flags);
    report_check((info->flags & ~0x1fffu) == 0, "no flag that is not defined");
    report_check(FLAG(2) && is_text((const char *)info->cmdline, "one two  three"),
                 "the command line");
    report_check(FLAG(9) && begins((const char *)info->boot_loader_name, "bootimage "),
                 "the loader's name");
    report_value("boot_device", FLAG(1) ? info->boot_device : 0);
    report_value("pic", read_port(0x21));
    check_modules(info);
    check_memory(info);
#ifdef HAS_SECTIONS
    check_sections(info);
#else
    (void)check_sections;
#endif
    check_screen(info);
    check_bios(info);
#ifdef LOW_TEXT
    const char *low;
    __asm__("" : "=r"(low) : "0"(LOW_TEXT)); /* else the compiler knows better than to read at 0 */
    report_check(is_text(low, "low memory"), "a segment below 1 MiB");
#endif
    report_done();
}
