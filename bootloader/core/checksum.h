/*
 * The checksums of the disk image. The loader compares them, the tool writes them; the tool makes
 * XXH64 with libxxhash, so that two independent implementations have to agree.
 */
#ifndef BOOTLOADER_CORE_CHECKSUM_H
#define BOOTLOADER_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 with the reflected polynomial 0xEDB88320 [IEEE 802.3 §3.2.9 "Frame Check Sequence"]. */
uint32_t checksum_crc32(const void *data, size_t bytes);

/* XXH64 with seed 0 [XXH64 "XXH64 algorithm description"]. */
uint64_t checksum_xxh64(const void *data, size_t bytes);

/* The sum that 16-bit code can afford: over 32-bit little-endian words, a += word, b += a, both
   from 1 and modulo 2^32; the result is a ^ (b rotated left by 16). bytes is a multiple of 4. */
uint32_t checksum_words(const void *data, size_t bytes);

#endif
