/*
 * The loader's checksums against those of others: libxxhash, published values, and sums by the
 * definition.
 */
#include "checksum.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define LENGTHS 301
#define ALIGNMENTS 8
#define LARGE_BYTES 0x100000

static void fill(uint8_t *data, size_t bytes)
{
    struct random random = {1};

    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)random_bits(&random);
}

static void xxh64_has_published_values(void **state)
{
    static const struct {
        const char *text;
        uint64_t sum;
    } vectors[] = {
        {"", 0xef46db3751d8e999},
        {"a", 0xd24ec4f1a98c6e5b},
        {"abc", 0x44bc2cf5ad770999},
        {"Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_int_equal(checksum_xxh64(vectors[i].text, strlen(vectors[i].text)), vectors[i].sum);
}

/* Each length in memory of its own, so that a sanitizer sees a byte too many. */
static void xxh64_agrees_with_libxxhash(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < LENGTHS; bytes++) {
        for (size_t offset = 0; offset < ALIGNMENTS; offset++) {
            uint8_t *data = malloc(offset + bytes);

            fill(data, offset + bytes);
            assert_int_equal(checksum_xxh64(data + offset, bytes), XXH64(data + offset, bytes, 0));
            free(data);
        }
    }
}

static void xxh64_agrees_on_large_data(void **state)
{
    uint8_t *data = malloc(LARGE_BYTES);

    (void)state;
    fill(data, LARGE_BYTES);
    for (size_t i = 0; i < 33; i++)
        assert_int_equal(checksum_xxh64(data + i, LARGE_BYTES - 2 * i),
                         XXH64(data + i, LARGE_BYTES - 2 * i, 0));
    free(data);
}

static void crc32_has_published_values(void **state)
{
    static const uint8_t zeros[32];

    (void)state;
    assert_int_equal(checksum_crc32("", 0), 0);
    assert_int_equal(checksum_crc32("a", 1), 0xe8b7be43);
    assert_int_equal(checksum_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(checksum_crc32("The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
    assert_int_equal(checksum_crc32(zeros, sizeof(zeros)), 0x190a55ad);
}

/* By the definition in checksum.h, in numbers that cannot wrap. */
static void words_are_summed_as_defined(void **state)
{
    enum { WORDS = 512 };
    uint8_t *data = malloc(4 * WORDS);
    uint64_t a = 1, b = 1;

    (void)state;
    fill(data, 4 * WORDS);
    memset(data, 0xff, 64);
    for (size_t i = 0; i <= WORDS; i++) {
        uint64_t rotated = (b << 16 | b >> 16) & UINT32_MAX;

        assert_int_equal(checksum_words(data, 4 * i), a ^ rotated);
        if (i == WORDS)
            break;
        uint32_t word = (uint32_t)data[4 * i] | (uint32_t)data[4 * i + 1] << 8 |
                        (uint32_t)data[4 * i + 2] << 16 | (uint32_t)data[4 * i + 3] << 24;
        a = (a + word) % 0x100000000;
        b = (b + a) % 0x100000000;
    }
    free(data);
}

static void words_have_an_order(void **state)
{
    static const uint32_t one[] = {1, 2}, other[] = {2, 1};

    (void)state;
    assert_int_equal(checksum_words(one, 0), 0x10001);
    assert_int_not_equal(checksum_words(one, 8), checksum_words(other, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xxh64_has_published_values),
        cmocka_unit_test(xxh64_agrees_with_libxxhash),
        cmocka_unit_test(xxh64_agrees_on_large_data),
        cmocka_unit_test(crc32_has_published_values),
        cmocka_unit_test(words_are_summed_as_defined),
        cmocka_unit_test(words_have_an_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
