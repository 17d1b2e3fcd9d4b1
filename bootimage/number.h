/*
 * Numbers in the user's words.
 */
#ifndef BOOTIMAGE_NUMBER_H
#define BOOTIMAGE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal behind 0x, and nothing else: no sign, no space. */
bool number_parse(const char *text, uint64_t *number);

/* A number of bytes: as above, perhaps with K, M or G behind it for 1024, 1024² or 1024³. */
bool number_parse_bytes(const char *text, uint64_t *bytes);

#endif
