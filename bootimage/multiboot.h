/*
 * What the two Multiboot protocols have in common: a header that is looked for in the file.
 */
#ifndef BOOTIMAGE_MULTIBOOT_H
#define BOOTIMAGE_MULTIBOOT_H

#include "error.h"
#include "kernel.h"
#include "protocol.h"

#include <stdint.h>

#define MULTIBOOT_WINDOW_BYTES 32768u

/* Where a header may lie, and by what it is known. */
struct multiboot_search {
    const char *name;          /* "Multiboot 1", for messages */
    uint32_t magic;            /* its first number */
    uint32_t window_bytes;     /* it lies in so many first bytes of the file */
    uint32_t align;            /* a multiple of this from the file's start */
    uint32_t header_bytes;     /* its magic numbers alone */
    uint32_t checksum_numbers; /* so many 32-bit numbers from its start have a sum of 0 */
};

/* What was found: the file's first bytes, up to the window's end, and where in them. */
struct multiboot_header {
    uint8_t file[MULTIBOOT_WINDOW_BYTES];
    uint32_t file_bytes;
    uint32_t offset;
};

/* Looks for a sound header; of one that is nearly so, error tells what is wrong with it. */
enum protocol_mark multiboot_find(struct multiboot_header *header,
                                  const struct multiboot_search *search,
                                  const struct kernel *kernel, struct error *error);

/* The little-endian number in the file at an offset that is in it. */
uint32_t multiboot_u32(const struct multiboot_header *header, uint32_t offset);
uint16_t multiboot_u16(const struct multiboot_header *header, uint32_t offset);

/* The kernel would like a framebuffer of this size, 0 for any; it boots without it where it can do
   with text. */
bool multiboot_ask_video(struct kernel *kernel, uint32_t width, uint32_t height, uint32_t depth,
                         bool is_optional, struct error *error);

#endif
