/*
 * Tests of the runtime: random numbers that are the same in each run. [SplitMix64, Steele 2014]
 */
#ifndef TESTS_UNIT_RUNTIME_RANDOM_H
#define TESTS_UNIT_RUNTIME_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_bits(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* 0 to count - 1. */
static inline unsigned int random_below(struct random *random, unsigned int count)
{
    return (unsigned int)((random_bits(random) >> 32) * count >> 32);
}

/* Any number of significant bits is as likely as any other. */
static inline __uint128_t random_wide(struct random *random)
{
    const __uint128_t high = random_bits(random);

    return (high << 64 | random_bits(random)) >> random_below(random, 128);
}

#endif
