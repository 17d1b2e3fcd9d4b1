/*
 * After the guest drew: its screen, in cells, is searched for what a test expects, and is written
 * down for reports. Text memory is cells already; screen_picture.c makes them of pixels.
 */
#include "run/screen.h"

#include "run/characters.h"

#include <stdlib.h>
#include <string.h>

#define FULL_BLOCK 0x2588

/* Of text memory: characters of which code page 437 has one for both. */
static uint32_t look_in_437(uint32_t character)
{
    static const uint32_t same[][2] = {
        {0x00A0, ' '}, {0x03B2, 0x00DF}, {0x03BC, 0x00B5}, {0x2126, 0x03A9}, {0x2211, 0x03A3},
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (same[i][0] == character)
            return same[i][1];
    }
    return character;
}

/* The characters of the text as they are in cells, with a 0 behind them. NULL: some are in no cell,
   or there is no memory. */
static uint32_t *looks_of(const char *text, const struct screen_font *font)
{
    uint32_t *looks = calloc(strlen(text) + 1, sizeof(*looks));

    for (size_t count = 0; looks && *text; count++) {
        uint32_t character;
        size_t bytes = characters_decode(text, &character);

        if (character == '\n' || character == '\r' || character == '\t')
            character = ' ';
        looks[count] = font ? screen_font_look(font, character) : look_in_437(character);
        if (looks[count] == 0) {
            free(looks);
            return NULL;
        }
        text += bytes;
    }
    return looks;
}

static bool cell_shows(uint32_t cell, uint32_t look)
{
    return cell == look || (cell == SCREEN_BAR && (look == ' ' || look == FULL_BLOCK));
}

/* Where the next row begins if there are only blanks up to it; else 0. */
static size_t row_after_blanks(const struct screen *screen, size_t at)
{
    while (at % screen->columns != 0) {
        if (!cell_shows(screen->cells[at++], ' '))
            return 0;
    }
    return at;
}

/* Are the looks in the cells from here on? A row's end goes on in the next row; where there are
   only blanks up to that, blanks of the text may be fewer. */
static bool is_written(const struct screen *screen, size_t at, const uint32_t *looks)
{
    const size_t end = screen->columns * screen->rows;

    for (; *looks; looks++, at++) {
        if (*looks == ' ') {
            const uint32_t *word = looks;
            size_t row = row_after_blanks(screen, at);

            while (*word == ' ')
                word++;
            if (row > 0 && !*word)
                return true;
            if (row > 0 && row < end && cell_shows(screen->cells[row], *word)) {
                looks = word;
                at = row;
            }
        }
        if (at >= end || !cell_shows(screen->cells[at], *looks))
            return false;
    }
    return true;
}

bool screen_shows(const struct screen *screen, const char *text)
{
    uint32_t *looks = looks_of(text, screen->font);
    bool found = false;

    for (size_t at = 0; looks && !found && at < screen->columns * screen->rows; at++)
        found = is_written(screen, at, looks);
    free(looks);
    return found;
}

char *screen_print(const struct screen *screen)
{
    char *lines = malloc(screen->rows * (screen->columns * CHARACTERS_UTF8_BYTES + 1) + 1);
    char *next = lines, *end = lines;
    const uint32_t *cell = screen->cells;

    if (!lines)
        return NULL;
    for (size_t row = 0; row < screen->rows; row++) {
        char *start = next, *row_end = next; /* behind its last character that is no blank */

        for (size_t column = 0; column < screen->columns; column++, cell++) {
            next += characters_encode(next, *cell == SCREEN_BAR ? ' ' : *cell);
            if (!cell_shows(*cell, ' '))
                row_end = next;
        }
        next = row_end;
        *next++ = '\n';
        if (row_end > start)
            end = next;
    }
    *end = '\0';
    return lines;
}

static struct screen of_text(uint32_t *characters, const uint8_t *cells)
{
    const size_t count = (size_t)SCREEN_TEXT_COLUMNS * SCREEN_TEXT_ROWS;

    for (size_t i = 0; i < count; i++)
        characters[i] = look_in_437(characters_of_437(cells[2 * i]));
    return (struct screen){SCREEN_TEXT_COLUMNS, SCREEN_TEXT_ROWS, characters, NULL};
}

bool screen_text_shows(const uint8_t cells[SCREEN_TEXT_BYTES], const char *text)
{
    uint32_t characters[SCREEN_TEXT_COLUMNS * SCREEN_TEXT_ROWS];
    const struct screen screen = of_text(characters, cells);

    return screen_shows(&screen, text);
}

char *screen_text_print(const uint8_t cells[SCREEN_TEXT_BYTES])
{
    uint32_t characters[SCREEN_TEXT_COLUMNS * SCREEN_TEXT_ROWS];
    const struct screen screen = of_text(characters, cells);

    return screen_print(&screen);
}
