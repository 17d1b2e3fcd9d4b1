/*
 * A font that a kernel draws its text with: a PC Screen Font, by which pixels become characters
 * again.
 *
 * Characters that look the same in a font are one: the one of the smallest number stands for all.
 */
#ifndef BOOTIMAGE_RUN_SCREEN_FONT_H
#define BOOTIMAGE_RUN_SCREEN_FONT_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pixels. The largest fonts of consoles are of 32 by 64. */
#define SCREEN_FONT_MOST_WIDTH 64
#define SCREEN_FONT_MOST_HEIGHT 128
#define SCREEN_FONT_MOST_BYTES (SCREEN_FONT_MOST_WIDTH / 8 * SCREEN_FONT_MOST_HEIGHT)

/* The glyph is that of the character. */
struct screen_font_name {
    uint32_t character;
    uint32_t glyph;
};

/* Give back with screen_font_close(). */
struct screen_font {
    uint32_t width, height; /* pixels */
    size_t glyph_bytes; /* of one; each row begins with a byte of its own, the leftmost pixel is its
                           highest bit, and what is left of its last byte is 0 */
    uint32_t glyph_count;
    uint8_t *glyphs;
    struct screen_font_name *names; /* by character */
    size_t name_count;
    const uint8_t **by_look; /* the glyphs in the order of their bits */
    uint32_t *characters;    /* what each glyph is read as; 0: nobody knows */
};

/* Of a PSF file of version 1 or 2, perhaps compressed by gzip. */
bool screen_font_open(struct screen_font *font, const char *path, struct error *error);

/* The font of this project's own kernel. */
bool screen_font_built_in(struct screen_font *font, struct error *error);

/* Does nothing to one that was not opened, or {0}. */
void screen_font_close(struct screen_font *font);

/* The character that looks like this, bits as above; 0 if none does. */
uint32_t screen_font_read(const struct screen_font *font, const uint8_t *bits);

/* What screen_font_read() gives where the character is drawn; 0 if the font does not have it. */
uint32_t screen_font_look(const struct screen_font *font, uint32_t character);

#endif
