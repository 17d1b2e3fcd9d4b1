/*
 * A guest's screen of pixels: text is read back by the fonts that it may be drawn with.
 *
 * It is read as a grid of cells from the top left corner, or in the middle of the screen, close
 * together or with a column of pixels between them, as large as the font or up to four times that.
 * Any two colours make a character, in inverse, too; of more colours nothing is read.
 */
#ifndef BOOTIMAGE_RUN_SCREEN_PICTURE_H
#define BOOTIMAGE_RUN_SCREEN_PICTURE_H

#include "run/screen_font.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* screen_shows() for a binary PPM, as QEMU's screendump writes it, in any of the fonts. False if it
   is no picture, or without memory. */
bool screen_picture_shows(const uint8_t *ppm, size_t bytes, const struct screen_font *fonts,
                          size_t font_count, const char *text);

/* screen_print() for it, read in the way that makes the most of it. Empty if that is little: it is
   no picture, or no text in these fonts. */
char *screen_picture_print(const uint8_t *ppm, size_t bytes, const struct screen_font *fonts,
                           size_t font_count);

#endif
