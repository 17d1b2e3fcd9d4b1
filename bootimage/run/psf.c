/*
 * The first step of a font: the file in memory becomes glyphs and the names of their characters.
 * Nothing in it is believed: a font may come from anywhere. screen_font.c puts what was found in
 * order.
 */
#include "run/psf.h"

#include "font.h"
#include "run/characters.h"

#include <stdlib.h>
#include <string.h>

#define PSF1_MAGIC 0x0436u
#define PSF1_HEADER_BYTES 4u
#define PSF1_HAS_512 0x01u
#define PSF1_HAS_NAMES 0x06u /* either bit */
#define PSF1_WIDTH 8u
#define PSF2_HAS_NAMES 0x01u

/* In the table of names, of either version: several characters that make one, and the next glyph.
 */
#define SEQUENCE 0xFFFFFFFEu
#define NEXT 0xFFFFFFFFu

struct psf {
    const uint8_t *data, *end;
    const uint8_t *glyphs, *names; /* in the file; names: NULL if there are none */
    bool is_version_1;
    const char *path;
    struct error *error;
};

static uint32_t read_16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_32(const uint8_t *at)
{
    return read_16(at) | read_16(at + 2) << 16;
}

static bool is_damaged(const struct psf *psf, const char *what)
{
    return error_set(psf->error, "%s: is damaged: %s; copy or make the font again [font-damaged]",
                     psf->path, what);
}

/* What follows the glyphs is the table. */
static bool set_glyphs(struct psf *psf, struct screen_font *font, uint32_t header_bytes,
                       bool has_names)
{
    const size_t left = (size_t)(psf->end - psf->data);

    if (header_bytes > left || font->glyph_count > (left - header_bytes) / font->glyph_bytes)
        return is_damaged(psf, "it ends before its last glyph");
    psf->glyphs = psf->data + header_bytes;
    psf->names = has_names ? psf->glyphs + font->glyph_count * font->glyph_bytes : NULL;
    return true;
}

static bool read_header_1(struct psf *psf, struct screen_font *font)
{
    const uint32_t mode = psf->data[2];

    psf->is_version_1 = true;
    font->width = PSF1_WIDTH;
    font->height = psf->data[3];
    font->glyph_bytes = font->height;
    font->glyph_count = mode & PSF1_HAS_512 ? 512 : 256;
    if (font->height == 0 || font->height > SCREEN_FONT_MOST_HEIGHT)
        return is_damaged(psf, "no font has glyphs of its size");
    return set_glyphs(psf, font, PSF1_HEADER_BYTES, (mode & PSF1_HAS_NAMES) != 0);
}

static bool read_header_2(struct psf *psf, struct screen_font *font)
{
    const uint8_t *header = psf->data;
    const uint32_t header_bytes = read_32(header + offsetof(struct font_header, header_bytes));
    const uint32_t flags = read_32(header + offsetof(struct font_header, flags));

    font->glyph_count = read_32(header + offsetof(struct font_header, glyph_count));
    font->glyph_bytes = read_32(header + offsetof(struct font_header, glyph_bytes));
    font->height = read_32(header + offsetof(struct font_header, height));
    font->width = read_32(header + offsetof(struct font_header, width));
    if (font->width == 0 || font->width > SCREEN_FONT_MOST_WIDTH || font->height == 0 ||
        font->height > SCREEN_FONT_MOST_HEIGHT ||
        font->glyph_bytes != font->height * ((font->width + 7) / 8))
        return is_damaged(psf, "no font has glyphs of its size");
    if (font->glyph_count == 0 || header_bytes < sizeof(struct font_header))
        return is_damaged(psf, "its header makes no sense");
    return set_glyphs(psf, font, header_bytes, (flags & PSF2_HAS_NAMES) != 0);
}

static bool read_header(struct psf *psf, struct screen_font *font)
{
    const size_t bytes = (size_t)(psf->end - psf->data);

    if (bytes >= sizeof(struct font_header) && read_32(psf->data) == FONT_MAGIC)
        return read_header_2(psf, font);
    if (bytes >= PSF1_HEADER_BYTES && read_16(psf->data) == PSF1_MAGIC)
        return read_header_1(psf, font);
    return error_set(psf->error,
                     "%s: is no PC Screen Font; give a file as those in /usr/share/consolefonts "
                     "[font-type]",
                     psf->path);
}

/* Some fonts have something in the bits behind a row's last pixel. */
static void copy_glyphs(const struct psf *psf, struct screen_font *font)
{
    const size_t row_bytes = (font->width + 7) / 8, bytes = font->glyph_count * font->glyph_bytes;
    const uint8_t last = (uint8_t)(0xFF << (row_bytes * 8 - font->width));

    memcpy(font->glyphs, psf->glyphs, bytes);
    for (size_t at = row_bytes - 1; at < bytes; at += row_bytes)
        font->glyphs[at] &= last;
}

/* Without a table, a glyph's number is its character's in the code page. Controls have none: many
   fonts have their sign for what is missing there. */
static void name_by_number(struct screen_font *font)
{
    for (uint32_t i = ' '; i < font->glyph_count && i < 0x100; i++) {
        if (i != 0x7F)
            font->names[font->name_count++] =
                (struct screen_font_name){characters_of_437((uint8_t)i), i};
    }
}

/* The next entry of the table. Returns the bytes of it, 0 if there is none. */
static size_t next_entry(const struct psf *psf, const uint8_t *at, uint32_t *entry)
{
    const size_t left = (size_t)(psf->end - at);

    if (psf->is_version_1) {
        if (left < 2)
            return 0;
        *entry = read_16(at);
        if (*entry >= 0xFFFE)
            *entry |= 0xFFFF0000;
        return 2;
    }
    if (left == 0)
        return 0;
    if (*at >= 0xFE) {
        *entry = *at | 0xFFFFFF00;
        return 1;
    }
    return characters_decode((const char *)at, entry);
}

/* A sequence goes on to the end of the glyph's entries: it is a character and its accents, and
   nobody draws it from these fonts. */
static bool read_names(const struct psf *psf, struct screen_font *font)
{
    const uint8_t *at = psf->names;

    for (uint32_t glyph = 0; glyph < font->glyph_count; glyph++) {
        bool in_sequence = false;
        uint32_t entry;
        size_t bytes;

        while ((bytes = next_entry(psf, at, &entry)) > 0 && entry != NEXT) {
            at += bytes;
            in_sequence |= entry == SEQUENCE;
            if (!in_sequence)
                font->names[font->name_count++] = (struct screen_font_name){entry, glyph};
        }
        if (bytes == 0)
            return is_damaged(psf, "its table of characters breaks off");
        at += bytes;
    }
    return true;
}

bool psf_read(struct screen_font *font, const uint8_t *data, size_t bytes, const char *path,
              struct error *error)
{
    struct psf psf = {.data = data, .end = data + bytes, .path = path, .error = error};

    if (!read_header(&psf, font))
        return false;
    font->glyphs = malloc(font->glyph_count * font->glyph_bytes);
    /* A name takes a byte of the table or more. */
    font->names =
        calloc(psf.names ? (size_t)(psf.end - psf.names) + 1 : 0x100, sizeof(*font->names));
    if (!font->glyphs || !font->names)
        return error_out_of_memory(error);
    copy_glyphs(&psf, font);
    if (psf.names)
        return read_names(&psf, font);
    name_by_number(font);
    return true;
}
