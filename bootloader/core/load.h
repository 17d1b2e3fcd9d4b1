/*
 * The kernel's bytes, from the disk to their places.
 */
#ifndef BOOTLOADER_CORE_LOAD_H
#define BOOTLOADER_CORE_LOAD_H

struct plan;

/* Fill every placed region: segments from the disk, zeros everywhere else. Compares the checksum of
   each segment; fails when one is wrong. */
void load_regions(const struct plan *plan);

#endif
