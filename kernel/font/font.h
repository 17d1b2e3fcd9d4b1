/*
 * The font of the console on a framebuffer, as font.py makes it of font.txt: a PC Screen Font,
 * version 2, whose glyphs 0 to 127 are those of ASCII.
 */
#ifndef KERNEL_FONT_FONT_H
#define KERNEL_FONT_FONT_H

#include <stdint.h>

extern const uint8_t font_psf[];
extern const uint32_t font_psf_bytes;

/* What a PSF2 file begins with. */
struct font_header {
    uint32_t magic;        /* 0: FONT_MAGIC */
    uint32_t version;      /* 4: 0 */
    uint32_t header_bytes; /* 8: where the first glyph is */
    uint32_t flags;        /* 12 */
    uint32_t glyph_count;  /* 16 */
    uint32_t glyph_bytes;  /* 20: of one; each row begins with a byte of its own */
    uint32_t height;       /* 24: pixels */
    uint32_t width;        /* 28: pixels */
};

#define FONT_MAGIC 0x864ab572u

#endif
