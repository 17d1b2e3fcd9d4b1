/*
 * Multiboot 1: a header of 12 to 48 bytes in the first 8 KiB of the file [Multiboot §3.1 "OS image
 * format"]. The kernel is entered in 32-bit protected mode, without paging.
 */
#include "protocol.h"

#include "multiboot.h"
#include "physical.h"
#include "sections.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <stdio.h>

/* Offsets in the header, and its flags [Multiboot §3.1.1 "The layout of Multiboot header"]. */
#define FLAGS 4
#define HEADER_ADDRESS 12
#define LOAD_ADDRESS 16
#define LOAD_END 20
#define BSS_END 24
#define ENTRY 28
#define MODE_TYPE 32
#define WIDTH 36
#define HEIGHT 40
#define DEPTH 44

#define FLAG_ALIGN_MODULES 0x1u
#define FLAG_MEMORY 0x2u
#define FLAG_VIDEO 0x4u
#define FLAGS_REQUIRED 0xffffu
#define FLAG_ADDRESSES 0x10000u
#define MODE_TEXT 1u

static const struct multiboot_search search = {
    .name = "Multiboot 1",
    .magic = 0x1badb002,
    .window_bytes = 8192,
    .align = 4,
    .header_bytes = 12,
    .checksum_numbers = 3,
};

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    struct multiboot_header header;
    enum protocol_mark mark = multiboot_find(&header, &search, kernel, error);

    if (mark == PROTOCOL_MARKED)
        snprintf(reason, PROTOCOL_REASON_BYTES,
                 "Multiboot 1 header at file offset 0x%" PRIx32 ", flags 0x%" PRIx32, header.offset,
                 multiboot_u32(&header, header.offset + FLAGS));
    return mark;
}

static bool check_header(const struct kernel *kernel, const struct multiboot_header *header,
                         struct error *error)
{
    uint32_t flags = multiboot_u32(header, header->offset + FLAGS);
    uint32_t unknown = flags & FLAGS_REQUIRED & ~(FLAG_ALIGN_MODULES | FLAG_MEMORY | FLAG_VIDEO);
    uint32_t bytes = flags & FLAG_VIDEO       ? DEPTH + 4
                     : flags & FLAG_ADDRESSES ? ENTRY + 4
                                              : search.header_bytes;

    if (unknown)
        return error_set(error,
                         "%s: the Multiboot 1 header at file offset 0x%" PRIx32
                         " requires what the specification does not know: flags 0x%" PRIx32
                         "; clear these bits [multiboot-flags]",
                         kernel->path, header->offset, unknown);
    if (bytes > header->file_bytes - header->offset)
        return error_set(error,
                         "%s: the Multiboot 1 header at file offset 0x%" PRIx32 " takes %" PRIu32
                         " bytes with its flags 0x%" PRIx32 ", which go past the first %" PRIu32
                         " bytes of the file; put its section first in the linker script "
                         "[multiboot-cut]",
                         kernel->path, header->offset, bytes, flags, header->file_bytes);
    return true;
}

/* [Multiboot §3.1.3 "The address fields of Multiboot header"] */
static bool use_addresses(struct kernel *kernel, const struct multiboot_header *header,
                          struct error *error)
{
    uint32_t at = header->offset;
    uint32_t header_address = multiboot_u32(header, at + HEADER_ADDRESS);
    uint32_t load_address = multiboot_u32(header, at + LOAD_ADDRESS);

    if (load_address > header_address || header_address - load_address > at)
        return error_set(error,
                         "%s: the Multiboot 1 header at file offset 0x%" PRIx32
                         " says that it is loaded to 0x%" PRIx32
                         " (header_addr) and all to 0x%" PRIx32
                         " (load_addr), so the file would begin before its start; correct these "
                         "addresses [header-address]",
                         kernel->path, at, header_address, load_address);
    return physical_use_fields(kernel,
                               &(struct physical_fields){
                                   .file_offset = at - (header_address - load_address),
                                   .load_paddr = load_address,
                                   .load_end = multiboot_u32(header, at + LOAD_END),
                                   .bss_end = multiboot_u32(header, at + BSS_END),
                               },
                               error);
}

static bool validate(struct kernel *kernel, struct error *error)
{
    struct multiboot_header header;

    if (multiboot_find(&header, &search, kernel, error) != PROTOCOL_MARKED)
        return false;
    uint32_t at = header.offset, flags = multiboot_u32(&header, at + FLAGS);
    uint64_t entry = 0;

    if (!physical_check_file(kernel, error) || !check_header(kernel, &header, error))
        return false;
    if (flags & FLAG_ADDRESSES) {
        entry = multiboot_u32(&header, at + ENTRY);
        if (!use_addresses(kernel, &header, error))
            return false;
    }
    if (!physical_place(kernel, flags & FLAG_ADDRESSES ? &entry : NULL, error) ||
        !sections_read(kernel, error))
        return false;
    if (!(flags & FLAG_VIDEO) || multiboot_u32(&header, at + MODE_TYPE) == MODE_TEXT)
        return true;
    return multiboot_ask_video(kernel, multiboot_u32(&header, at + WIDTH),
                               multiboot_u32(&header, at + HEIGHT),
                               multiboot_u32(&header, at + DEPTH), true, error);
}

const struct protocol protocol_multiboot1 = {
    .number = PLAN_PROTOCOL_MULTIBOOT1,
    .name = "multiboot1",
    .recognise = recognise,
    .validate = validate,
};
