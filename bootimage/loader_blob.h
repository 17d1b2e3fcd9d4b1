/*
 * The prebuilt loader, embedded by embed.py: stage 1, a gap of one sector, stage 2.
 */
#ifndef BOOTIMAGE_LOADER_BLOB_H
#define BOOTIMAGE_LOADER_BLOB_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t loader_blob[];
extern const size_t loader_blob_bytes;

#endif
