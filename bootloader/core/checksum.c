/*
 * Checksums of the image, computed: by the loader over what it has read, by the tool over what it
 * is about to write (CRC-32 and the word sum; its XXH64 is libxxhash's).
 */
#include "checksum.h"

/* XXH64's five primes [XXH64 "XXH64 algorithm description"]. */
#define PRIME_1 0x9e3779b185ebca87ull
#define PRIME_2 0xc2b2ae3d27d4eb4full
#define PRIME_3 0x165667b19e3779f9ull
#define PRIME_4 0x85ebca77c2b2ae63ull
#define PRIME_5 0x27d4eb2f165667c5ull

#define STRIPE_BYTES 32

static uint32_t load32(const uint8_t *p)
{
    uint32_t value;
    __builtin_memcpy(&value, p, sizeof(value));
    return value;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t value;
    __builtin_memcpy(&value, p, sizeof(value));
    return value;
}

static uint64_t rotate_left(uint64_t value, unsigned int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t round_lane(uint64_t lane, uint64_t input)
{
    return rotate_left(lane + input * PRIME_2, 31) * PRIME_1;
}

static uint64_t merge_lane(uint64_t hash, uint64_t lane)
{
    return (hash ^ round_lane(0, lane)) * PRIME_1 + PRIME_4;
}

/* All whole stripes of the data, four lanes side by side; moves *p behind them. */
static uint64_t hash_stripes(const uint8_t **p, const uint8_t *end)
{
    uint64_t a = PRIME_1 + PRIME_2, b = PRIME_2, c = 0, d = 0 - PRIME_1;

    for (; end - *p >= STRIPE_BYTES; *p += STRIPE_BYTES) {
        a = round_lane(a, load64(*p));
        b = round_lane(b, load64(*p + 8));
        c = round_lane(c, load64(*p + 16));
        d = round_lane(d, load64(*p + 24));
    }
    uint64_t hash = rotate_left(a, 1) + rotate_left(b, 7) + rotate_left(c, 12) + rotate_left(d, 18);
    return merge_lane(merge_lane(merge_lane(merge_lane(hash, a), b), c), d);
}

uint64_t checksum_xxh64(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    const uint8_t *end = p + bytes;
    uint64_t hash = bytes >= STRIPE_BYTES ? hash_stripes(&p, end) : PRIME_5;

    hash += bytes;
    for (; end - p >= 8; p += 8)
        hash = rotate_left(hash ^ round_lane(0, load64(p)), 27) * PRIME_1 + PRIME_4;
    for (; end - p >= 4; p += 4)
        hash = rotate_left(hash ^ load32(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
    for (; p < end; p++)
        hash = rotate_left(hash ^ *p * PRIME_5, 11) * PRIME_1;

    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

uint32_t checksum_crc32(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

uint32_t checksum_words(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    uint32_t a = 1, b = 1;

    for (size_t i = 0; i < bytes; i += 4) {
        a += load32(p + i);
        b += a;
    }
    return a ^ (b << 16 | b >> 16);
}
