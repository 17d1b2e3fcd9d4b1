/*
 * Part of the second step: looks for a Multiboot header in the first bytes of the file, whatever
 * kind of file it is.
 *
 * A header that no loader would find is named, too: at a wrong address, behind the window, or with
 * a wrong checksum. Then somebody meant to have one.
 */
#include "multiboot.h"

#include "request.h"

#include "bootimage/bootinfo.h"

#include <inttypes.h>
#include <string.h>

/* How far behind the window a header is looked for that lies there by mistake. */
#define FAR_BYTES 0x20000u

uint32_t multiboot_u32(const struct multiboot_header *header, uint32_t offset)
{
    uint32_t value;

    memcpy(&value, header->file + offset, sizeof(value));
    return value;
}

uint16_t multiboot_u16(const struct multiboot_header *header, uint32_t offset)
{
    uint16_t value;

    memcpy(&value, header->file + offset, sizeof(value));
    return value;
}

static uint32_t sum_of(const uint8_t *start, uint32_t count)
{
    uint32_t sum = 0, number;

    for (uint32_t i = 0; i < count; i++) {
        memcpy(&number, start + i * sizeof(number), sizeof(number));
        sum += number;
    }
    return sum;
}

static bool has_magic(const uint8_t *at, const struct multiboot_search *search)
{
    return memcmp(at, &search->magic, sizeof(search->magic)) == 0;
}

/* A number that is the magic by chance is not followed by a sum of 0. */
static void complain_of_sum(const struct kernel *kernel, const struct multiboot_search *search,
                            const uint8_t *at, uint32_t offset, struct error *error)
{
    uint32_t last = search->checksum_numbers * 4 - 4, found;

    memcpy(&found, at + last, sizeof(found));
    error_set(error,
              "%s: the %s header at file offset 0x%" PRIx32 " has the checksum 0x%" PRIx32
              ", where 0x%" PRIx32 " makes the sum of its first %" PRIu32
              " numbers 0; correct it, or give --protocol=%s if it is no header "
              "[multiboot-checksum]",
              kernel->path, search->name, offset, found,
              found - sum_of(at, search->checksum_numbers), search->checksum_numbers,
              protocol_plain_name(kernel));
}

static void complain_of_place(const struct kernel *kernel, const struct multiboot_search *search,
                              uint32_t offset, struct error *error)
{
    error_set(error,
              "%s: the %s header at file offset 0x%" PRIx32
              " cannot be found by a loader, which looks at multiples of %" PRIu32
              " in the first %" PRIu32
              " bytes; put its section first in the linker script, aligned [multiboot-place]",
              kernel->path, search->name, offset, search->align, search->window_bytes);
}

/* Beyond what a loader looks at. */
static void look_further(const struct kernel *kernel, const struct multiboot_search *search,
                         struct error *error)
{
    static uint8_t bytes[FAR_BYTES];
    uint64_t count = kernel->file.bytes < FAR_BYTES ? kernel->file.bytes : FAR_BYTES;
    struct error ignored = {0};

    if (input_read(&kernel->file, kernel->fd, bytes, (size_t)count, 0, &ignored)) {
        for (uint32_t at = 0; at + search->header_bytes <= count; at++) {
            if (!has_magic(bytes + at, search))
                continue;
            if (sum_of(bytes + at, search->checksum_numbers) == 0)
                complain_of_place(kernel, search, at, error);
            else if (at % search->align == 0 && at + search->header_bytes <= search->window_bytes)
                complain_of_sum(kernel, search, bytes + at, at, error);
        }
    }
    error_free(&ignored);
}

enum protocol_mark multiboot_find(struct multiboot_header *header,
                                  const struct multiboot_search *search,
                                  const struct kernel *kernel, struct error *error)
{
    uint64_t bytes = kernel->file.bytes;

    header->file_bytes = bytes < search->window_bytes ? (uint32_t)bytes : search->window_bytes;
    if (!input_read(&kernel->file, kernel->fd, header->file, header->file_bytes, 0, error))
        return PROTOCOL_BROKEN_MARK;
    for (uint32_t at = 0; at + search->header_bytes <= header->file_bytes; at += search->align) {
        if (has_magic(header->file + at, search) &&
            sum_of(header->file + at, search->checksum_numbers) == 0) {
            header->offset = at;
            return PROTOCOL_MARKED;
        }
    }
    look_further(kernel, search, error);
    return error->text ? PROTOCOL_BROKEN_MARK : PROTOCOL_NO_MARK;
}

bool multiboot_ask_video(struct kernel *kernel, uint32_t width, uint32_t height, uint32_t depth,
                         bool is_optional, struct error *error)
{
    struct kernel_request *request;

    if (!request_override(kernel, BOOTINFO_REQUEST_FRAMEBUFFER, width, error))
        return false;
    request = &kernel->requests[kernel->request_count - 1];
    request->words[1] = height;
    request->words[2] = depth;
    request->word_count = 3;
    if (is_optional)
        request->type |= BOOTINFO_REQUEST_OPTIONAL;
    return true;
}
