/*
 * The second step of a font: what psf.c found in the file is put in order, so that each look leads
 * to its character. screen_picture.c reads by it.
 */
#include "run/screen_font.h"

#include "font.h"
#include "run/psf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A font of all characters of Unicode's first plane takes 3 MiB. */
#define MOST_FILE_BYTES ((size_t)16 << 20)

static int compare_looks(const void *left, const void *right, void *bytes)
{
    const uint8_t *const *a = left, *const *b = right;

    return memcmp(*a, *b, *(const size_t *)bytes);
}

static int compare_names(const void *left, const void *right)
{
    const struct screen_font_name *a = left, *b = right;

    return (a->character > b->character) - (a->character < b->character);
}

/* Neither a control nor half of a UTF-16 character, which fonts of version 1 may have. */
static bool is_printable(uint32_t character)
{
    return character >= ' ' && (character < 0x7F || character > 0x9F) &&
           (character < 0xD800 || character > 0xDFFF);
}

static size_t glyph_of(const struct screen_font *font, const uint8_t *bits)
{
    return (size_t)(bits - font->glyphs) / font->glyph_bytes;
}

/* The first of the glyphs that look like this; NULL if none does. */
static const uint8_t **find(const struct screen_font *font, const uint8_t *bits)
{
    size_t low = 0, high = font->glyph_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(font->by_look[middle], bits, font->glyph_bytes) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == font->glyph_count || memcmp(font->by_look[low], bits, font->glyph_bytes) != 0)
        return NULL;
    return &font->by_look[low];
}

/* The first glyph of a look stands for all; what has no ink is a blank. */
static void choose_characters(struct screen_font *font)
{
    static const uint8_t blank[SCREEN_FONT_MOST_BYTES];

    for (size_t i = 0; i < font->name_count; i++) {
        const struct screen_font_name *name = &font->names[i];
        const uint8_t **first = find(font, font->glyphs + name->glyph * font->glyph_bytes);
        uint32_t *character = first ? &font->characters[glyph_of(font, *first)] : NULL;

        if (character && !*character && is_printable(name->character))
            *character = memcmp(*first, blank, font->glyph_bytes) == 0 ? ' ' : name->character;
    }
}

static bool put_in_order(struct screen_font *font, struct error *error)
{
    font->by_look = calloc(font->glyph_count, sizeof(*font->by_look));
    font->characters = calloc(font->glyph_count, sizeof(*font->characters));
    if (!font->by_look || !font->characters)
        return error_out_of_memory(error);
    for (size_t i = 0; i < font->glyph_count; i++)
        font->by_look[i] = font->glyphs + i * font->glyph_bytes;
    qsort_r(font->by_look, font->glyph_count, sizeof(*font->by_look), compare_looks,
            &font->glyph_bytes);
    qsort(font->names, font->name_count, sizeof(*font->names), compare_names);
    choose_characters(font);
    return true;
}

static bool font_of(struct screen_font *font, const uint8_t *data, size_t bytes, const char *path,
                    struct error *error)
{
    *font = (struct screen_font){0};
    if (psf_read(font, data, bytes, path, error) && put_in_order(font, error))
        return true;
    screen_font_close(font);
    return false;
}

bool screen_font_built_in(struct screen_font *font, struct error *error)
{
    return font_of(font, font_psf, font_psf_bytes, "font", error);
}

/* zlib reads a file that is not compressed as it is. data has room for MOST_FILE_BYTES. */
static bool read_file(const char *path, gzFile file, uint8_t *data, size_t *bytes,
                      struct error *error)
{
    int count, number;

    *bytes = 0;
    do {
        count = gzread(file, data + *bytes, (unsigned int)(MOST_FILE_BYTES - *bytes));
        *bytes += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    const char *what = gzerror(file, &number);
    const char *colon = strstr(what, ": "); /* behind the path */
    if (number != Z_OK)
        return error_set(error, "%s: cannot read: %s; copy the font again [font-read]", path,
                         number == Z_BUF_ERROR ? "it ends too early"
                         : colon               ? colon + 2
                                               : what);
    if (*bytes == MOST_FILE_BYTES)
        return error_set(error, "%s: takes 16 MiB or more; no font does [font-too-large]", path);
    return true;
}

bool screen_font_open(struct screen_font *font, const char *path, struct error *error)
{
    uint8_t *data = calloc(1, MOST_FILE_BYTES + 1);
    size_t bytes;

    *font = (struct screen_font){0};
    errno = 0; /* what zlib leaves where it has no memory */
    gzFile file = data ? gzopen(path, "rbe") : NULL;
    if (!file) {
        free(data);
        if (!data || errno == 0)
            return error_out_of_memory(error);
        return error_set(error,
                         "%s: cannot open: %s; name a font that is there and can be read "
                         "[font-open]",
                         path, strerror(errno));
    }
    bool done =
        read_file(path, file, data, &bytes, error) && font_of(font, data, bytes, path, error);
    gzclose(file);
    free(data);
    return done;
}

void screen_font_close(struct screen_font *font)
{
    free(font->glyphs);
    free(font->names);
    free(font->by_look);
    free(font->characters);
    *font = (struct screen_font){0};
}

uint32_t screen_font_read(const struct screen_font *font, const uint8_t *bits)
{
    const uint8_t **first = find(font, bits);

    return first ? font->characters[glyph_of(font, *first)] : 0;
}

uint32_t screen_font_look(const struct screen_font *font, uint32_t character)
{
    const struct screen_font_name key = {.character = character};
    const struct screen_font_name *name =
        bsearch(&key, font->names, font->name_count, sizeof(key), compare_names);

    if (character == ' ' || !name)
        return character == ' ' ? ' ' : 0;
    return screen_font_read(font, font->glyphs + name->glyph * font->glyph_bytes);
}
