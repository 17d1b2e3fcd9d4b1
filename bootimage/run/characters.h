/*
 * Characters of a guest's screen and of a user's text: as numbers of Unicode, as UTF-8, and as
 * bytes of code page 437, which PCs have in text mode.
 */
#ifndef BOOTIMAGE_RUN_CHARACTERS_H
#define BOOTIMAGE_RUN_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>

#define CHARACTERS_UTF8_BYTES 4 /* that one takes, at most */

/* The character that the text begins with. Returns its bytes; 0, as the character, if it is none in
   UTF-8. */
size_t characters_decode(const char *text, uint32_t *character);

/* Writes it in UTF-8, without a 0. Returns its bytes. */
size_t characters_encode(char utf8[CHARACTERS_UTF8_BYTES], uint32_t character);

/* What a PC shows for the byte. 0 is a blank, and controls are pictures. */
uint32_t characters_of_437(uint8_t byte);

#endif
