/*
 * Random numbers for the kernel's seed and its random address: RDSEED, else RDRAND, else clocks.
 * What the CPU gives is not believed when all of it is the same: broken ones answer so.
 */
#include "random.h"

#include "checksum.h"
#include "cpu.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <string.h>

#define WORDS (RANDOM_SEED_BYTES / sizeof(uint64_t))
/* RDRAND fails 10 times in a row only when it is broken; RDSEED may have to wait for noise [Intel
   SDM vol. 1 §7.3.17 "Random Number Generator Instructions"]. */
#define MOST_TRIES 1000

#define LEAF_VERSION 1
#define LEAF_FEATURES 7
#define VERSION_ECX_RDRAND (1u << 30)
#define FEATURES_EBX_RDSEED (1u << 18)

static bool read_rdrand(uint64_t *word)
{
    bool done;

    __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(done));
    return done;
}

static bool read_rdseed(uint64_t *word)
{
    bool done;

    __asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(done));
    return done;
}

static bool read_words(uint64_t *words, bool (*read)(uint64_t *word))
{
    bool differ = false;

    for (unsigned int i = 0; i < WORDS; i++) {
        unsigned int tries = 0;

        while (!read(&words[i])) {
            if (++tries == MOST_TRIES)
                return false;
            __asm__ volatile("pause");
        }
        differ = differ || words[i] != words[0];
    }
    return differ;
}

static void mix_clocks(uint64_t *words, int64_t wall_clock_s)
{
    uint64_t state[3] = {(uint64_t)wall_clock_s, 0, 0};

    for (unsigned int i = 0; i < WORDS; i++) {
        state[1] = cpu_read_tsc();
        state[2] = checksum_xxh64(state, sizeof(state));
        words[i] = state[2];
    }
}

uint32_t random_fill(uint8_t seed[RANDOM_SEED_BYTES], int64_t wall_clock_s)
{
    bool has_rdseed =
        cpu_id(0, 0).eax >= LEAF_FEATURES && (cpu_id(LEAF_FEATURES, 0).ebx & FEATURES_EBX_RDSEED);
    bool has_rdrand = cpu_id(LEAF_VERSION, 0).ecx & VERSION_ECX_RDRAND;
    uint32_t source = BOOTINFO_RANDOM_CLOCKS;
    uint64_t words[WORDS];

    if (has_rdseed && read_words(words, read_rdseed))
        source = BOOTINFO_RANDOM_RDSEED;
    else if (has_rdrand && read_words(words, read_rdrand))
        source = BOOTINFO_RANDOM_RDRAND;
    else
        mix_clocks(words, wall_clock_s);
    memcpy(seed, words, sizeof(words));
    return source;
}
