/*
 * The kernel's bytes, from the disk to their places.
 */
#ifndef BOOTLOADER_CORE_LOAD_H
#define BOOTLOADER_CORE_LOAD_H

#include <stdint.h>

struct plan;

/* Where the time of loading goes, in ticks of the time stamp counter; each call adds its own. */
struct load_ticks {
    uint64_t read;  /* the firmware and the disk */
    uint64_t copy;  /* from the buffer of disk reads */
    uint64_t check; /* checksums */
};

/* Read payload to physical memory. Returns the checksum of what came. */
uint64_t load_payload(const struct plan *plan, uint64_t payload_offset, uint64_t bytes,
                      uint64_t paddr, struct load_ticks *ticks);

/* Fill every placed region: segments from the disk, zeros everywhere else. Compares the checksum of
   each segment; fails when one is wrong. */
void load_regions(const struct plan *plan, struct load_ticks *ticks);

#endif
