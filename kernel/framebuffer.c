/*
 * Draws characters pixel by pixel. It only ever writes: reading such memory is slow, and so
 * screen.c knows what is on it.
 */
#include "framebuffer.h"

#include "font.h"

#include <stddef.h>

/* Red, green and blue of each colour. */
static const uint32_t framebuffer_colors[SCREEN_COLORS] = {
    0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
    0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
};

static const struct bootinfo_framebuffer *framebuffer_used;
static uint32_t framebuffer_pixels[SCREEN_COLORS];
static struct screen framebuffer_as_screen;

static const struct font_header *framebuffer_font(void)
{
    return (const struct font_header *)(const void *)font_psf;
}

/* Eight bits of a colour in the place and the width of the pixel's. */
static uint32_t framebuffer_part(uint32_t value, uint8_t shift, uint8_t bits)
{
    return (bits < 8 ? value >> (8 - bits) : value << (bits - 8)) << shift;
}

static uint32_t framebuffer_pixel(uint32_t color)
{
    const struct bootinfo_framebuffer *to = framebuffer_used;

    return framebuffer_part(color >> 16, to->red_shift, to->red_bits) |
           framebuffer_part(color >> 8 & 0xff, to->green_shift, to->green_bits) |
           framebuffer_part(color & 0xff, to->blue_shift, to->blue_bits);
}

/* Returns where the next pixel is. */
static uint8_t *framebuffer_put(uint8_t *at, uint32_t pixel)
{
    unsigned int bytes = framebuffer_used->bits_per_pixel / 8;

    switch (bytes) {
    case sizeof(uint32_t):
        *(volatile uint32_t *)(void *)at = pixel;
        break;
    case sizeof(uint16_t):
        *(volatile uint16_t *)(void *)at = (uint16_t)pixel;
        break;
    default:
        for (unsigned int i = 0; i < bytes; i++)
            ((volatile uint8_t *)at)[i] = (uint8_t)(pixel >> (8 * i));
        break;
    }
    return at + bytes;
}

static uint8_t *framebuffer_line(uint64_t line)
{
    return (uint8_t *)(uintptr_t)(framebuffer_used->address + line * framebuffer_used->pitch_bytes);
}

static void framebuffer_clear(void)
{
    for (uint32_t line = 0; line < framebuffer_used->height; line++) {
        uint8_t *at = framebuffer_line(line);

        for (uint32_t i = 0; i < framebuffer_used->width; i++)
            at = framebuffer_put(at, framebuffer_pixels[SCREEN_BLACK]);
    }
}

static void framebuffer_draw(unsigned int row, unsigned int column, struct screen_cell cell)
{
    const struct font_header *font = framebuffer_font();
    const uint8_t *bits = font_psf + font->header_bytes + cell.character * font->glyph_bytes;
    const uint32_t row_bytes = font->glyph_bytes / font->height;
    const uint32_t ink = framebuffer_pixels[cell.color % SCREEN_COLORS];
    const uint32_t paper = framebuffer_pixels[SCREEN_BLACK];

    for (uint32_t y = 0; y < font->height; y++, bits += row_bytes) {
        uint8_t *at = framebuffer_line((uint64_t)row * font->height + y) +
                      (uint64_t)column * font->width * (framebuffer_used->bits_per_pixel / 8u);

        for (uint32_t x = 0; x < font->width; x++)
            at = framebuffer_put(at, bits[x / 8] >> (7 - x % 8) & 1 ? ink : paper);
    }
}

const struct screen *framebuffer_screen(const struct bootinfo_framebuffer *framebuffer)
{
    const struct font_header *font = framebuffer_font();
    const unsigned int bits = framebuffer->bits_per_pixel;

    if ((bits != 16 && bits != 24 && bits != 32) || framebuffer->width < font->width ||
        framebuffer->height < font->height)
        return NULL;
    framebuffer_used = framebuffer;
    for (unsigned int i = 0; i < SCREEN_COLORS; i++)
        framebuffer_pixels[i] = framebuffer_pixel(framebuffer_colors[i]);
    framebuffer_as_screen = (struct screen){
        .rows = framebuffer->height / font->height,
        .columns = framebuffer->width / font->width,
        .clear = framebuffer_clear,
        .draw = framebuffer_draw,
    };
    return &framebuffer_as_screen;
}
