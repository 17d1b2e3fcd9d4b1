/*
 * A guest's screen as rows of characters: is a text on it, and what does it say as a whole?
 *
 * Here from a PC's text memory; screen_picture.h has screens of pixels. Nothing here knows QEMU.
 */
#ifndef BOOTIMAGE_RUN_SCREEN_H
#define BOOTIMAGE_RUN_SCREEN_H

#include "run/screen_font.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text memory as it is at 0xB8000: of each cell the character, in code page 437, and its colours.
 */
#define SCREEN_TEXT_COLUMNS 80
#define SCREEN_TEXT_ROWS 25
#define SCREEN_TEXT_BYTES (2 * SCREEN_TEXT_COLUMNS * SCREEN_TEXT_ROWS)

/* In a cell, beside characters of Unicode: one that nobody knows; and a cell of a single colour,
   which is not the background's: a blank in inverse, or a full block. */
#define SCREEN_UNKNOWN 0xFFFDu
#define SCREEN_BAR 0x110000u

struct screen {
    size_t columns, rows;
    uint32_t *cells;                /* row by row */
    const struct screen_font *font; /* that it was read by; NULL: none, it is text memory */
};

/* Is the text, of UTF-8, on the screen? One that goes on at the start of the next row is found,
   with as many blanks there as the row before may have at its end. Line breaks count as blanks, and
   characters that look the same as the same. False without memory, too. */
bool screen_shows(const struct screen *screen, const char *text);

/* The rows in UTF-8, each with a line feed, without blanks at their ends and without rows at the
   end that are empty. The caller frees it; NULL without memory. */
char *screen_print(const struct screen *screen);

/* The same of text memory. */
bool screen_text_shows(const uint8_t cells[SCREEN_TEXT_BYTES], const char *text);
char *screen_text_print(const uint8_t cells[SCREEN_TEXT_BYTES]);

#endif
