/*
 * Random numbers, from the CPU where it has a source of them.
 */
#ifndef BOOTLOADER_CORE_RANDOM_H
#define BOOTLOADER_CORE_RANDOM_H

#include <stdint.h>

#define RANDOM_SEED_BYTES 32

/* Fill a seed, and tell what it comes from: BOOTINFO_RANDOM_. Where the CPU has no source, it comes
   from the time stamp counter and from wall_clock_s, and can be guessed. */
uint32_t random_fill(uint8_t seed[RANDOM_SEED_BYTES], int64_t wall_clock_s);

#endif
