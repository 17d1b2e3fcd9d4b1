/*
 * The payload of a test kernel: a file that pattern.py made, taken in by payload.S, in which every
 * 512 bytes say where they belong. A sector that the loader left out, doubled or misplaced shows.
 */
#ifndef TESTS_BOOT_KERNELS_PAYLOAD_H
#define TESTS_BOOT_KERNELS_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#define PAYLOAD_FACTOR 0x9E3779B97F4A7C15ull
#define PAYLOAD_QUADS_PER_SECTOR 64

extern const uint64_t payload_start[];
extern const uint64_t payload_end[];

static inline uint64_t payload_bytes(void)
{
    return (uint64_t)((uintptr_t)payload_end - (uintptr_t)payload_start);
}

static inline bool payload_is_intact(const uint64_t *quad, const uint64_t *end)
{
    for (uint64_t sector = 1; quad != end; sector++) {
        const uint64_t expected = sector * PAYLOAD_FACTOR;

        for (unsigned i = 0; i < PAYLOAD_QUADS_PER_SECTOR; i++) {
            if (*quad++ != expected)
                return false;
        }
    }
    return true;
}

static inline bool payload_intact(void)
{
    return payload_is_intact(payload_start, payload_end);
}

static inline bool payload_all_zero(const uint64_t *from, const uint64_t *to)
{
    while (from != to) {
        if (*from++ != 0)
            return false;
    }
    return true;
}

#endif
