/*
 * From pixels to text, the second step: a picture is cut into the cells of a grid, and each cell is
 * looked for in a font. Where the grid is nobody says, so the usual ones are tried: only the right
 * one gives text. screen.c searches what was read.
 */
#include "run/screen_picture.h"

#include "run/picture.h"
#include "run/screen.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SCALE 4u
#define MOST_GAP 1u /* as the VGA has a column between characters */

/* A way to read a picture, numbered: see way_of(). */
#define WAYS_PER_FONT (MOST_SCALE * (MOST_GAP + 1) * 2)

struct grid {
    const struct picture *picture;
    const struct screen_font *font;
    size_t scale;     /* pixels, each way, for one of the font */
    size_t left, top; /* of the first cell, in pixels, as the rest */
    size_t cell_width, cell_height;
    size_t columns, rows;
};

/* False: the picture has no room for a cell, or an earlier way is the same. */
static bool grid_of(struct grid *grid, const struct picture *picture,
                    const struct screen_font *font, unsigned int way)
{
    const bool is_centered = way % 2;
    const size_t scale = way / 2 % MOST_SCALE + 1, gap = way / 2 / MOST_SCALE;

    *grid = (struct grid){
        .picture = picture,
        .font = font,
        .scale = scale,
        .cell_width = (font->width + gap) * scale,
        .cell_height = font->height * scale,
    };
    grid->columns = picture->width / grid->cell_width;
    grid->rows = picture->height / grid->cell_height;
    if (is_centered) {
        grid->left = picture->width % grid->cell_width / 2;
        grid->top = picture->height % grid->cell_height / 2;
    }
    return grid->columns > 0 && grid->rows > 0 && (!is_centered || grid->left || grid->top);
}

/* The colour of one of the font's pixels. False if it has several. */
static bool read_pixel(const struct grid *grid, size_t x, size_t y, uint32_t *color)
{
    *color = picture_color(grid->picture, x, y);
    for (size_t down = 0; down < grid->scale; down++) {
        for (size_t right = 0; right < grid->scale; right++) {
            if (picture_color(grid->picture, x + right, y + down) != *color)
                return false;
        }
    }
    return true;
}

/* The second colour of a cell is its ink, in bits as a font has them. False: there are more. */
static bool read_bits(const struct grid *grid, size_t left, size_t top, uint8_t *bits,
                      uint32_t colors[2])
{
    const size_t row_bytes = (grid->font->width + 7) / 8;

    memset(bits, 0, grid->font->glyph_bytes);
    for (size_t y = 0; y < grid->font->height; y++, bits += row_bytes) {
        for (size_t x = 0; x < grid->font->width; x++) {
            uint32_t color;

            if (!read_pixel(grid, left + x * grid->scale, top + y * grid->scale, &color))
                return false;
            if (x == 0 && y == 0)
                colors[0] = colors[1] = color;
            if (color == colors[0])
                continue;
            if (colors[1] == colors[0])
                colors[1] = color;
            if (color != colors[1])
                return false;
            bits[x / 8] |= (uint8_t)(0x80 >> x % 8);
        }
    }
    return true;
}

static void invert(const struct screen_font *font, uint8_t *bits)
{
    const size_t row_bytes = (font->width + 7) / 8;
    const uint8_t last = (uint8_t)(0xFF << (row_bytes * 8 - font->width));

    for (size_t i = 0; i < font->glyph_bytes; i++)
        bits[i] ^= i % row_bytes == row_bytes - 1 ? last : 0xFF;
}

/* What is not of the screen's background is ink if that makes a character; else the other colour.
 */
static uint32_t read_cell(const struct grid *grid, size_t column, size_t row)
{
    const uint32_t background = grid->picture->background;
    uint8_t bits[SCREEN_FONT_MOST_BYTES];
    uint32_t colors[2] = {0, 0};

    if (!read_bits(grid, grid->left + column * grid->cell_width,
                   grid->top + row * grid->cell_height, bits, colors))
        return SCREEN_UNKNOWN;
    if (colors[0] == colors[1])
        return colors[0] == background ? ' ' : SCREEN_BAR;
    if (colors[1] == background)
        invert(grid->font, bits);
    uint32_t character = screen_font_read(grid->font, bits);
    if (character)
        return character;
    invert(grid->font, bits);
    character = screen_font_read(grid->font, bits);
    return character ? character : SCREEN_UNKNOWN;
}

/* The way of this number, over all fonts. False: there is nothing to read so. The caller frees the
   cells. */
static bool read_way(struct screen *screen, const struct picture *picture,
                     const struct screen_font *font, unsigned int way)
{
    struct grid grid;

    if (!grid_of(&grid, picture, font, way))
        return false;
    uint32_t *cells = calloc(grid.rows * grid.columns, sizeof(*cells));
    if (!cells)
        return false;
    *screen = (struct screen){grid.columns, grid.rows, cells, font};
    for (size_t row = 0; row < grid.rows; row++) {
        for (size_t column = 0; column < grid.columns; column++)
            *cells++ = read_cell(&grid, column, row);
    }
    return true;
}

bool screen_picture_shows(const uint8_t *ppm, size_t bytes, const struct screen_font *fonts,
                          size_t font_count, const char *text)
{
    struct picture picture;
    struct screen screen;
    bool found = false;

    if (!picture_read(&picture, ppm, bytes))
        return false;
    for (size_t i = 0; !found && i < font_count * WAYS_PER_FONT; i++) {
        if (read_way(&screen, &picture, &fonts[i / WAYS_PER_FONT],
                     (unsigned int)(i % WAYS_PER_FONT))) {
            found = screen_shows(&screen, text);
            free(screen.cells);
        }
    }
    return found;
}

/* How many more characters than cells that nobody knows. */
static ptrdiff_t worth_of(const struct screen *screen)
{
    ptrdiff_t worth = 0;

    for (size_t i = 0; i < screen->rows * screen->columns; i++) {
        if (screen->cells[i] == SCREEN_UNKNOWN)
            worth--;
        else if (screen->cells[i] != ' ' && screen->cells[i] != SCREEN_BAR)
            worth++;
    }
    return worth;
}

char *screen_picture_print(const uint8_t *ppm, size_t bytes, const struct screen_font *fonts,
                           size_t font_count)
{
    struct picture picture;
    struct screen screen, best = {0};
    ptrdiff_t most = 0;

    if (!picture_read(&picture, ppm, bytes))
        return calloc(1, 1);
    for (size_t i = 0; i < font_count * WAYS_PER_FONT; i++) {
        if (!read_way(&screen, &picture, &fonts[i / WAYS_PER_FONT],
                      (unsigned int)(i % WAYS_PER_FONT)))
            continue;
        ptrdiff_t worth = worth_of(&screen);
        if (worth > most) {
            free(best.cells);
            best = screen;
            most = worth;
        } else {
            free(screen.cells);
        }
    }
    char *lines = screen_print(&best);
    free(best.cells);
    return lines;
}
