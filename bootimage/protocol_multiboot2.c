/*
 * Multiboot 2: a header of tags in the first 32 KiB of the file [Multiboot2 §3.1 "OS image
 * format"]. The kernel is entered in 32-bit protected mode, without paging, after boot services
 * have ended.
 */
#include "protocol.h"

#include "multiboot.h"
#include "physical.h"
#include "sections.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <stdio.h>

#define ARCHITECTURE 4
#define HEADER_LENGTH 8
#define ARCHITECTURE_I386 0u
#define TAG_OPTIONAL 0x1u
#define TAG_BYTES 8u

/* Header tags [Multiboot2 §3.1.3 "General tag structure" to §3.1.13]. */
enum tag_type {
    TAG_END = 0,
    TAG_INFORMATION_REQUEST = 1,
    TAG_ADDRESS = 2,
    TAG_ENTRY = 3,
    TAG_CONSOLE = 4,
    TAG_FRAMEBUFFER = 5,
    TAG_MODULE_ALIGN = 6,
    TAG_EFI_BOOT_SERVICES = 7,
    TAG_ENTRY_EFI32 = 8,
    TAG_ENTRY_EFI64 = 9,
    TAG_RELOCATABLE = 10,
    TAG_LAST = TAG_RELOCATABLE,
};

#define CONSOLE_REQUIRED 0x1u
#define CONSOLE_EGA_TEXT 0x2u

/* What the tags say. */
struct reading {
    struct kernel *kernel;
    const struct multiboot_header *header;
    uint32_t end; /* of the header in the file */
    bool has_fields, has_entry, has_video, has_console, has_boot_services;
    struct physical_fields fields;
    uint64_t entry, efi_entry;
    uint32_t console, width, height, depth;
    struct error *error;
};

struct tag {
    uint16_t type;
    uint16_t flags;
    uint32_t size;
    uint32_t at; /* in the file */
};

static const struct multiboot_search search = {
    .name = "Multiboot 2",
    .magic = 0xe85250d6,
    .window_bytes = MULTIBOOT_WINDOW_BYTES,
    .align = 8,
    .header_bytes = 16,
    .checksum_numbers = 4,
};

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    struct multiboot_header header;
    enum protocol_mark mark = multiboot_find(&header, &search, kernel, error);

    if (mark == PROTOCOL_MARKED)
        snprintf(reason, PROTOCOL_REASON_BYTES,
                 "Multiboot 2 header at file offset 0x%" PRIx32 ", %" PRIu32 " bytes",
                 header.offset, multiboot_u32(&header, header.offset + HEADER_LENGTH));
    return mark;
}

/* Starts a message about a tag. */
#define TAG_FORMAT "%s: the Multiboot 2 header's tag of type %u at file offset 0x%" PRIx32 " "
#define TAG_ARGUMENTS(reading, tag) (reading)->kernel->path, (tag)->type, (tag)->at

static uint32_t field(const struct reading *reading, const struct tag *tag, uint32_t offset)
{
    return multiboot_u32(reading->header, tag->at + offset);
}

/* Tags of information that no disk of ours brings [Multiboot2 §3.6 "Boot information"]. */
static const struct {
    uint32_t type;
    const char *what;
} never_served[] = {
    {11, "a 32-bit EFI system table"},
    {16, "a DHCP answer, as there is no network boot"},
    {19, "a 32-bit EFI image handle"},
};

#define LAST_INFORMATION 21u

static bool take_information_request(struct reading *reading, const struct tag *tag)
{
    if (tag->flags & TAG_OPTIONAL)
        return true;
    for (uint32_t at = TAG_BYTES; at + 4 <= tag->size; at += 4) {
        uint32_t type = field(reading, tag, at);
        const char *what =
            type > LAST_INFORMATION ? "something that the specification does not know" : NULL;

        for (size_t i = 0; i < sizeof(never_served) / sizeof(never_served[0]); i++) {
            if (never_served[i].type == type)
                what = never_served[i].what;
        }
        if (what)
            return error_set(reading->error,
                             TAG_FORMAT "requires information of type %" PRIu32
                                        ", %s; do without it, or make the tag optional (flags 1) "
                                        "[multiboot2-information]",
                             TAG_ARGUMENTS(reading, tag), type, what);
    }
    return true;
}

/* [Multiboot2 §3.1.5 "The address tag of Multiboot2 header"] */
static bool take_address(struct reading *reading, const struct tag *tag)
{
    const uint32_t header_address = field(reading, tag, 8), load_address = field(reading, tag, 12);
    const uint32_t at = reading->header->offset;

    reading->has_fields = true;
    reading->fields = (struct physical_fields){
        .load_end = field(reading, tag, 16),
        .bss_end = field(reading, tag, 20),
    };
    if (load_address == UINT32_MAX) {
        if (header_address >= at) {
            reading->fields.load_paddr = header_address - at;
            return true;
        }
    } else if (load_address <= header_address && header_address - load_address <= at) {
        reading->fields.load_paddr = load_address;
        reading->fields.file_offset = at - (header_address - load_address);
        return true;
    }
    return error_set(reading->error,
                     TAG_FORMAT "says that the header is loaded to 0x%" PRIx32
                                " (header_addr) and all to 0x%" PRIx32
                                " (load_addr), so the file would begin before its start; correct "
                                "these addresses [header-address]",
                     TAG_ARGUMENTS(reading, tag), header_address, load_address);
}

static bool take_entry(struct reading *reading, const struct tag *tag)
{
    reading->has_entry = true;
    reading->entry = field(reading, tag, 8);
    return true;
}

static bool take_console(struct reading *reading, const struct tag *tag)
{
    reading->has_console = true;
    reading->console = field(reading, tag, 8);
    return true;
}

static bool take_framebuffer(struct reading *reading, const struct tag *tag)
{
    reading->has_video = true;
    reading->width = field(reading, tag, 8);
    reading->height = field(reading, tag, 12);
    reading->depth = field(reading, tag, 16);
    return true;
}

static bool take_boot_services(struct reading *reading, const struct tag *tag)
{
    (void)tag;
    reading->has_boot_services = true;
    return true;
}

static bool take_efi_entry(struct reading *reading, const struct tag *tag)
{
    reading->efi_entry = field(reading, tag, 8);
    return true;
}

/* [Multiboot2 §3.1.13 "Relocatable header tag"] */
static bool take_relocatable(struct reading *reading, const struct tag *tag)
{
    const uint32_t align = field(reading, tag, 16);

    reading->kernel->extent = (struct kernel_extent){
        .is_movable = true,
        .least_paddr = field(reading, tag, 8),
        .most_paddr = field(reading, tag, 12),
        .align = align,
        .preference = field(reading, tag, 20),
    };
    if (align > 0 && (align & (align - 1)) == 0 &&
        reading->kernel->extent.least_paddr <= reading->kernel->extent.most_paddr)
        return true;
    return error_set(reading->error,
                     TAG_FORMAT "lets the kernel be loaded from 0x%" PRIx64 " to 0x%" PRIx64
                                " at an alignment of 0x%" PRIx32
                                "; make the first the lower one, and the alignment a power of two "
                                "[multiboot2-relocatable]",
                     TAG_ARGUMENTS(reading, tag), reading->kernel->extent.least_paddr,
                     reading->kernel->extent.most_paddr, align);
}

static const struct {
    uint32_t bytes; /* at least */
    bool (*take)(struct reading *reading, const struct tag *tag);
} kinds[] = {
    [TAG_INFORMATION_REQUEST] = {8, take_information_request},
    [TAG_ADDRESS] = {24, take_address},
    [TAG_ENTRY] = {12, take_entry},
    [TAG_CONSOLE] = {12, take_console},
    [TAG_FRAMEBUFFER] = {20, take_framebuffer},
    [TAG_MODULE_ALIGN] = {8, NULL}, /* modules always are */
    [TAG_EFI_BOOT_SERVICES] = {8, take_boot_services},
    [TAG_ENTRY_EFI32] = {12, NULL}, /* no firmware of 32 bits is booted */
    [TAG_ENTRY_EFI64] = {12, take_efi_entry},
    [TAG_RELOCATABLE] = {24, take_relocatable},
};

static bool take_tag(struct reading *reading, const struct tag *tag)
{
    const bool is_known = tag->type <= TAG_LAST;

    if (tag->size < TAG_BYTES || (is_known && tag->size < kinds[tag->type].bytes) ||
        tag->size > reading->end - tag->at)
        return error_set(reading->error,
                         TAG_FORMAT "has a size of %" PRIu32
                                    " bytes, where the header has room for %" PRIu32
                                    " and such a tag takes %" PRIu32 "; correct it "
                                    "[multiboot2-tag-size]",
                         TAG_ARGUMENTS(reading, tag), tag->size, reading->end - tag->at,
                         is_known ? kinds[tag->type].bytes : TAG_BYTES);
    if (is_known)
        return !kinds[tag->type].take || kinds[tag->type].take(reading, tag);
    if (tag->flags & TAG_OPTIONAL)
        return true;
    return error_set(reading->error,
                     TAG_FORMAT "is required, but of no type that the specification knows; make it "
                                "optional (flags 1), or leave it out [multiboot2-tag-unknown]",
                     TAG_ARGUMENTS(reading, tag));
}

static struct tag tag_at(const struct reading *reading, uint32_t at)
{
    return (struct tag){
        .type = multiboot_u16(reading->header, at),
        .flags = multiboot_u16(reading->header, at + 2),
        .size = multiboot_u32(reading->header, at + 4),
        .at = at,
    };
}

/* Might this be a tag? For headers that somebody forgot to pad. */
static bool is_likely(const struct reading *reading, uint32_t at)
{
    if (at + TAG_BYTES > reading->end)
        return false;
    const struct tag tag = tag_at(reading, at);

    return tag.type == TAG_END
               ? tag.size == TAG_BYTES
               : tag.type <= TAG_LAST && tag.flags <= TAG_OPTIONAL &&
                     tag.size >= kinds[tag.type].bytes && tag.size <= reading->end - at;
}

/* The tag behind this one, at a multiple of 8. */
static uint32_t next_tag(const struct reading *reading, const struct tag *tag)
{
    uint32_t unpadded = tag->at + tag->size, padded = (unpadded + 7) & ~7u;

    if (padded == unpadded || is_likely(reading, padded) || !is_likely(reading, unpadded))
        return padded;
    error_warn(reading->error,
               TAG_FORMAT
               "is followed by another at once, where tags begin at multiples of 8; align "
               "them [multiboot2-padding]",
               TAG_ARGUMENTS(reading, tag));
    return unpadded;
}

static bool take_tags(struct reading *reading)
{
    uint32_t at = reading->header->offset + search.header_bytes;

    while (at + TAG_BYTES <= reading->end) {
        const struct tag tag = tag_at(reading, at);

        if (tag.type == TAG_END) {
            if (tag.size != TAG_BYTES)
                error_warn(reading->error,
                           TAG_FORMAT "ends the header, and has a size of %" PRIu32
                                      "; make it 8 [multiboot2-end-size]",
                           TAG_ARGUMENTS(reading, &tag), tag.size);
            return true;
        }
        if (!take_tag(reading, &tag))
            return false;
        at = next_tag(reading, &tag);
    }
    error_warn(reading->error,
               "%s: the Multiboot 2 header at file offset 0x%" PRIx32
               " has no tag that ends it; add one of type 0 and size 8 [multiboot2-end]",
               reading->kernel->path, reading->header->offset);
    return true;
}

static bool read_header(struct reading *reading)
{
    const struct multiboot_header *header = reading->header;
    uint32_t architecture = multiboot_u32(header, header->offset + ARCHITECTURE);
    uint32_t length = multiboot_u32(header, header->offset + HEADER_LENGTH);

    if (architecture != ARCHITECTURE_I386)
        return error_set(reading->error,
                         "%s: the Multiboot 2 header at file offset 0x%" PRIx32
                         " is for architecture %" PRIu32
                         "; make it 0, for x86 [multiboot2-architecture]",
                         reading->kernel->path, header->offset, architecture);
    if (length < search.header_bytes || length > header->file_bytes - header->offset)
        return error_set(reading->error,
                         "%s: the Multiboot 2 header at file offset 0x%" PRIx32 " has %" PRIu32
                         " bytes (header_length), but may have %" PRIu32 " to %" PRIu32
                         " there; put its section first in the linker script, and correct its "
                         "length [multiboot-cut]",
                         reading->kernel->path, header->offset, length, search.header_bytes,
                         header->file_bytes - header->offset);
    if (length % 8 != 0)
        error_warn(reading->error,
                   "%s: the Multiboot 2 header at file offset 0x%" PRIx32 " has %" PRIu32
                   " bytes (header_length), not a multiple of 8; pad its tags "
                   "[multiboot2-length]",
                   reading->kernel->path, header->offset, length);
    reading->end = header->offset + length;
    return take_tags(reading);
}

/* A kernel that draws or writes text has a wish; one that only draws, a need. */
static bool ask_video(struct reading *reading)
{
    bool can_do_text = !reading->has_console || reading->console & CONSOLE_EGA_TEXT;
    bool is_needed = reading->has_console && reading->console & CONSOLE_REQUIRED && !can_do_text;

    if (!reading->has_video && can_do_text)
        return true;
    return multiboot_ask_video(reading->kernel, reading->width, reading->height, reading->depth,
                               !is_needed, reading->error);
}

/* Taken into account only with the tag for boot services [Multiboot2 §3.1.12 "EFI boot services
 * tag"].
 */
static bool use_efi_entry(struct reading *reading)
{
    if (!reading->has_boot_services)
        return true;
    if (reading->efi_entry == 0) {
        error_warn(reading->error,
                   "%s: the Multiboot 2 header at file offset 0x%" PRIx32
                   " asks for boot services (tag 7), but has no 64-bit entry for them; they will "
                   "have ended; add an entry tag (9) [multiboot2-boot-services]",
                   reading->kernel->path, reading->header->offset);
        return true;
    }
    reading->kernel->efi_entry = reading->efi_entry;
    return physical_check_entry(reading->kernel, reading->efi_entry, reading->error);
}

static bool validate(struct kernel *kernel, struct error *error)
{
    struct multiboot_header header;
    struct reading reading = {.kernel = kernel, .header = &header, .error = error};

    if (multiboot_find(&header, &search, kernel, error) != PROTOCOL_MARKED ||
        !physical_check_file(kernel, error) || !read_header(&reading))
        return false;
    if (reading.has_fields && !reading.has_entry)
        return error_set(error,
                         "%s: the Multiboot 2 header at file offset 0x%" PRIx32
                         " has an address tag, but no entry tag (3); add one "
                         "[multiboot2-no-entry]",
                         kernel->path, header.offset);
    if (reading.has_fields && !physical_use_fields(kernel, &reading.fields, error))
        return false;
    return physical_place(kernel, reading.has_entry ? &reading.entry : NULL, error) &&
           use_efi_entry(&reading) && sections_read(kernel, error) && ask_video(&reading);
}

const struct protocol protocol_multiboot2 = {
    .number = PLAN_PROTOCOL_MULTIBOOT2,
    .name = "multiboot2",
    .recognise = recognise,
    .validate = validate,
};
