/*
 * PC Screen Fonts, the file format [PSF §1]. screen_font.h is what the rest of the tool knows of
 * fonts.
 */
#ifndef BOOTIMAGE_RUN_PSF_H
#define BOOTIMAGE_RUN_PSF_H

#include "run/screen_font.h"

/* Fills in size, glyphs and names, these in the order of the file. data has a 0 behind its last
   byte; path is for messages. Whatever comes, what was filled in is the caller's. */
bool psf_read(struct screen_font *font, const uint8_t *data, size_t bytes, const char *path,
              struct error *error);

#endif
