/*
 * Multiboot 2, as the specification has it: the machine (§3.3) and each tag of the information
 * (§3.6). The test gives three modules and a command line.
 */
#include "state.h"

#define MOST_TAGS 32

struct tag {
    uint32_t type, size;
};

/* The first tag of each type, and how many there are of each. */
static const struct tag *tags[MOST_TAGS];
static uint32_t counts[MOST_TAGS];

static uint32_t number(const struct tag *tag, uint32_t offset)
{
    return *(const uint32_t *)((const uint8_t *)tag + offset);
}

static uint64_t number_64(const struct tag *tag, uint32_t offset)
{
    return *(const uint64_t *)((const uint8_t *)tag + offset);
}

static const char *text(const struct tag *tag, uint32_t offset)
{
    return (const char *)tag + offset;
}

/* Whole, padded, ended by a tag of type 0 and size 8 at total_size. */
static void check_tags(uint32_t paddr)
{
    const uint32_t total = *(const uint32_t *)paddr, end = paddr + total;
    const struct tag *tag = (const struct tag *)(paddr + 8);
    bool whole = true;

    while (tag->type != 0 && whole) {
        whole = tag->size >= 8 && (uint32_t)tag + tag->size <= end && (uint32_t)tag % 8 == 0 &&
                tag->type < MOST_TAGS;
        if (!whole)
            break;
        if (counts[tag->type]++ == 0)
            tags[tag->type] = tag;
        tag = (const struct tag *)((uint32_t)tag + ((tag->size + 7) & ~7u));
    }
    report_check(whole && tag->size == 8 && (uint32_t)tag + 8 == end,
                 "tags up to the end of the information");
    report_value("information", paddr);
    report_check(paddr % 8 == 0, "the information begins at a multiple of 8");
    report_check(is_apart(paddr, end), "it is apart from the kernel");
    report_check(((const uint32_t *)paddr)[1] == 0, "its reserved number is 0");
}

static void check_modules(void)
{
    const struct tag *first = tags[3];
    const struct tag *second = (const struct tag *)((uint32_t)first + ((first->size + 7) & ~7u));
    const struct tag *third = (const struct tag *)((uint32_t)second + ((second->size + 7) & ~7u));

    report_check(counts[3] == 3 && second->type == 3 && third->type == 3, "three modules");
    report_check(is_text(text(first, 16), "first with arguments") &&
                     is_text(text(second, 16), "m1") && is_text(text(third, 16), "m2") &&
                     second->size == 16 + 3,
                 "their strings");
    report_check(number(first, 12) - number(first, 8) == 5000 &&
                     number(second, 12) - number(second, 8) == 70000 &&
                     number(third, 12) == number(third, 8),
                 "their sizes");
    report_check(number(first, 8) % 4096 == 0 && number(second, 8) % 4096 == 0, "aligned to pages");
    report_check(is_module(number(first, 8), number(first, 12), 0) &&
                     is_module(number(second, 8), number(second, 12), 1),
                 "their bytes");
}

static void check_memory(void)
{
    struct map_check map = {.is_sorted = true};
    const struct tag *tag = tags[6];
    uint64_t upper = 0;
    bool zeros = true;

    report_check(tag && number(tag, 8) == 24 && number(tag, 12) == 0 && (tag->size - 16) % 24 == 0,
                 "a memory map of whole entries");
    for (uint32_t at = 16; at + 24 <= tag->size; at += 24) {
        uint64_t base = number_64(tag, at), bytes = number_64(tag, at + 8);

        map_check(&map, base, bytes, number(tag, at + 16));
        zeros &= number(tag, at + 20) == 0;
        if (number(tag, at + 16) == 1 && base <= ONE_MIB && base + bytes > ONE_MIB)
            upper = base + bytes - ONE_MIB;
    }
    report_check(map.is_sorted && zeros, "sorted and disjoint");
    report_check(map.has_kernel, "the kernel lies in usable memory");
    report_check(counts[4] == 1 && tags[4]->size == 16 && number(tags[4], 8) <= 640 &&
                     number(tags[4], 8) >= 256 && number(tags[4], 12) == upper / 1024,
                 "lower and upper memory");
    report_value("usable", map.usable);
}

static void check_sections(void)
{
    const struct tag *tag = tags[9];
    uint32_t count = number(tag, 8), bytes = number(tag, 12), names_index = number(tag, 16);
    bool has_text = false;

    report_check(counts[9] == 1 && bytes == 40 && tag->size == 20 + count * bytes,
                 "section headers");
    const char *names = (const char *)number(tag, 20 + names_index * bytes + 12);
    for (uint32_t i = 1; i < count; i++)
        has_text |= is_text(names + number(tag, 20 + i * bytes), ".text");
    report_check(has_text, "names of sections are loaded");
}

static uint8_t sum_of(const uint8_t *start, uint32_t bytes)
{
    uint8_t sum = 0;

    while (bytes-- > 0)
        sum = (uint8_t)(sum + *start++);
    return sum;
}

static void check_tables(void)
{
    report_check(counts[14] == 1 && tags[14]->size == 8 + 20 &&
                     begins(text(tags[14], 8), "RSD PTR ") &&
                     sum_of((const uint8_t *)tags[14] + 8, 20) == 0,
                 "the root pointer of ACPI 1.0");
    report_check(counts[15] == 0 ||
                     (begins(text(tags[15], 8), "RSD PTR ") &&
                      tags[15]->size == 8 + number(tags[15], 8 + 20) &&
                      sum_of((const uint8_t *)tags[15] + 8, tags[15]->size - 8) == 0),
                 "and of a later one");
    report_check(counts[13] == 1 && number(tags[13], 10) == 0 &&
                     ((const uint8_t *)tags[13])[8] >= 2 && tags[13]->size > 16 + 4,
                 "SMBIOS, of version 2 or later");
    report_value("rsdp_2", counts[15]);
}

static void check_firmware(void)
{
    const struct tag *map = tags[17];

    report_value("boot_drive", counts[5] ? number(tags[5], 8) : 0);
    report_value("efi", counts[12]);
    if (!counts[12]) {
        report_check(counts[5] == 1 && tags[5]->size == 20 && number(tags[5], 12) == 0 &&
                         number(tags[5], 16) == 0xffffffff && !counts[17],
                     "the boot device, and nothing of EFI");
        return;
    }
    report_check(!counts[5] && tags[12]->size == 16 &&
                     begins((const char *)(uint32_t)number_64(tags[12], 8), "IBI SYST"),
                 "the system table of EFI");
    report_check(counts[17] == 1 && number(map, 8) >= 40 && number(map, 12) == 1 &&
                     (map->size - 16) % number(map, 8) == 0 &&
                     map->size > 16 + 10 * number(map, 8) && !counts[18] && !counts[20],
                 "its memory map, as boot services have ended");
}

static void check_screen(void)
{
    const struct tag *tag = tags[8];
    uint8_t type = tag ? (uint8_t)(number(tag, 28) >> 8) : 0xff;

    report_value("framebuffer_type", type);
    report_value("framebuffer_width", tag ? number(tag, 20) : 0);
    report_value("framebuffer_height", tag ? number(tag, 24) : 0);
    if (type != 1) {
        report_check(!tag || (tag->size == 32 && type == 2 && number(tag, 8) == 0xb8000 &&
                              number(tag, 16) == 160 && number(tag, 20) == 80),
                     "the text screen, or none");
        return;
    }
    volatile uint32_t *pixel = (volatile uint32_t *)number(tag, 8);
    *pixel = 0x123456;
    report_check(tag->size == 38 && *pixel == 0x123456 && number(tag, 12) == 0 &&
                     number(tag, 28) >> 16 == 0 &&
                     number(tag, 16) >= number(tag, 20) * ((number(tag, 28) & 0xff) / 8),
                 "a framebuffer with colours");
}

/* On a BIOS; of VBE only where it has set the mode. */
static void check_bios(void)
{
    const struct tag *screen = tags[8], *vbe = tags[7];

    if (counts[12]) {
        report_check(!counts[7] && !counts[10], "nothing of a BIOS");
        return;
    }
    report_check(counts[10] == 1 && tags[10]->size == 28 &&
                     is_apm((const struct apm *)text(tags[10], 8)),
                 "the APM table");
    if (!screen || (uint8_t)(number(screen, 28) >> 8) != 1)
        return;
    report_check(counts[7] == 1 && vbe->size == 784 &&
                     is_vbe((const uint8_t *)vbe + 16, (const uint8_t *)vbe + 528,
                            (uint16_t)number(vbe, 8), number(screen, 20), number(screen, 24),
                            number_64(screen, 8)),
                 "VBE information");
}

void check(void)
{
    report_entered();
    report_check(state.eax == 0x36d76289, "EAX is the magic number");
    check_machine();
    check_tags(state.ebx);
    report_check(counts[1] == 1 && is_text(text(tags[1], 8), "one two  three") &&
                     tags[1]->size == 8 + 15,
                 "the command line");
    report_check(counts[2] == 1 && begins(text(tags[2], 8), "bootimage "), "the loader's name");
    check_modules();
    check_memory();
    check_sections();
    check_tables();
    check_firmware();
    check_screen();
    check_bios();
    report_check(counts[21] == 1 && tags[21]->size == 12, "the load base");
    report_value("load_base", number(tags[21], 8));
    report_value("load_start", (uint32_t)load_start);
    report_value("pic", read_port(0x21));
    report_done();
}
