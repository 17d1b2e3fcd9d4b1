/*
 * memcpy, memmove, memset, memcmp against loops over bytes: every small size, every alignment and
 * overlap, between pages that must not be touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "random.h"
#include "runtime.h"

#define PAGE_BYTES 4096
#define AREA_BYTES (4 * PAGE_BYTES)
/* More than four blocks of 64 bytes, so that each loop runs several times. */
#define SMALL_BYTES 280
#define ALIGNMENTS 16

/* AREA_BYTES of memory with a page without access on either side. */
static uint8_t *area_new(void)
{
    uint8_t *const pages =
        mmap(NULL, AREA_BYTES + 2 * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + PAGE_BYTES, AREA_BYTES, PROT_READ | PROT_WRITE), 0);
    return pages + PAGE_BYTES;
}

static void area_free(uint8_t *area)
{
    munmap(area - PAGE_BYTES, AREA_BYTES + 2 * PAGE_BYTES);
}

/* Copies the naive way, upwards or downwards. */
static void reference_copy(uint8_t *to, const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const size_t at = to < from ? i : bytes - 1 - i;
        *(volatile uint8_t *)(to + at) = from[at];
    }
}

static void fill_random(uint8_t *to, size_t bytes, struct random *random)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)random_bits(random);
}

static void assert_same(const uint8_t *found, const uint8_t *expected, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (found[i] != expected[i])
            fail_msg("byte %zu: expected %#x, found %#x", i, expected[i], found[i]);
    }
}

static void test_copy_alignments(void **state)
{
    uint8_t source[SMALL_BYTES + ALIGNMENTS], found[SMALL_BYTES + 3 * ALIGNMENTS];
    uint8_t expected[sizeof(found)];
    struct random random = {1};

    (void)state;
    for (size_t bytes = 0; bytes <= SMALL_BYTES; bytes++) {
        fill_random(source, sizeof(source), &random);
        fill_random(found, sizeof(found), &random);
        reference_copy(expected, found, sizeof(found));
        for (size_t from = 0; from < ALIGNMENTS; from++) {
            for (size_t to = 0; to < ALIGNMENTS; to++) {
                uint8_t *const target = found + ALIGNMENTS + to;

                reference_copy(expected + ALIGNMENTS + to, source + from, bytes);
                assert_ptr_equal(memcpy(target, source + from, bytes), target);
                assert_same(found, expected, sizeof(found));
            }
        }
    }
}

static void check_move(uint8_t *found, uint8_t *expected, size_t to, size_t from, size_t bytes)
{
    reference_copy(expected + to, expected + from, bytes);
    assert_ptr_equal(memmove(found + to, found + from, bytes), found + to);
    assert_same(found, expected, 3 * SMALL_BYTES);
}

static void test_move_overlaps(void **state)
{
    uint8_t found[3 * SMALL_BYTES], expected[3 * SMALL_BYTES];
    struct random random = {2};

    (void)state;
    fill_random(found, sizeof(found), &random);
    reference_copy(expected, found, sizeof(found));
    for (size_t bytes = 0; bytes <= SMALL_BYTES; bytes++) {
        /* Each distance that overlaps, and a few beyond; the alignment moves along. */
        for (size_t distance = 0; distance <= bytes + 2; distance++) {
            const size_t at = random_below(&random, ALIGNMENTS);

            if (distance % 64 == 0)
                fill_random(found, sizeof(found), &random);
            reference_copy(expected, found, sizeof(found));
            check_move(found, expected, at + distance, at, bytes);
            check_move(found, expected, at, at + distance, bytes);
        }
    }
}

/* Large enough for many blocks, at all distances around a block's and a word's size. */
static void test_move_large(void **state)
{
    const size_t bytes = AREA_BYTES - 256;
    uint8_t *const found = area_new(), *const expected = area_new();
    struct random random = {3};

    (void)state;
    fill_random(found, AREA_BYTES, &random);
    reference_copy(expected, found, AREA_BYTES);
    for (size_t distance = 0; distance <= 130; distance++) {
        const size_t at = random_below(&random, ALIGNMENTS);

        reference_copy(expected + at + distance, expected + at, bytes);
        memmove(found + at + distance, found + at, bytes);
        assert_same(found, expected, AREA_BYTES);
        reference_copy(expected + at, expected + at + distance, bytes);
        memmove(found + at, found + at + distance, bytes);
        assert_same(found, expected, AREA_BYTES);
    }
    area_free(found);
    area_free(expected);
}

static void test_fill(void **state)
{
    static const int values[] = {0, 1, 0x80, 0xFF, -1, 0x1234, -256};
    uint8_t found[SMALL_BYTES + 3 * ALIGNMENTS], expected[sizeof(found)];
    struct random random = {4};

    (void)state;
    for (size_t bytes = 0; bytes <= SMALL_BYTES; bytes++) {
        fill_random(found, sizeof(found), &random);
        reference_copy(expected, found, sizeof(found));
        for (size_t to = ALIGNMENTS; to < 2 * ALIGNMENTS; to++) {
            const int value = values[random_below(&random, 7)];

            for (size_t i = 0; i < bytes; i++)
                expected[to + i] = (uint8_t)value;
            assert_ptr_equal(memset(found + to, value, bytes), found + to);
            assert_same(found, expected, sizeof(found));
        }
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

/* Equal up to each place, and different there; what lies behind differs and must not count. */
static void check_compare(uint8_t *left, uint8_t *right, size_t bytes, struct random *random)
{
    fill_random(left, bytes, random);
    reference_copy(right, left, bytes);
    assert_int_equal(memcmp(left, right, bytes), 0);
    assert_int_equal(bcmp(left, right, bytes), 0);
    for (size_t at = bytes; at-- > 0;) {
        right[at] = (uint8_t)(left[at] ^ (1u << random_below(random, 8)));
        assert_int_equal(sign(memcmp(left, right, bytes)), left[at] < right[at] ? -1 : 1);
        assert_int_equal(sign(memcmp(right, left, bytes)), left[at] < right[at] ? 1 : -1);
        assert_int_not_equal(bcmp(left, right, bytes), 0);
        assert_int_equal(memcmp(left, right, at), 0);
    }
}

static void test_compare(void **state)
{
    uint8_t left[SMALL_BYTES], right[SMALL_BYTES];
    struct random random = {5};

    (void)state;
    for (size_t bytes = 0; bytes <= 80; bytes++) {
        for (size_t at = 0; at < ALIGNMENTS; at++) {
            check_compare(left + at, right + random_below(&random, ALIGNMENTS), bytes, &random);
            check_compare(left + random_below(&random, ALIGNMENTS), right + at, bytes, &random);
        }
    }
}

/* At the very end and at the very beginning of memory that exists. */
static void test_edges(void **state)
{
    uint8_t *const left = area_new(), *const right = area_new();
    struct random random = {6};

    (void)state;
    fill_random(left, AREA_BYTES, &random);
    for (size_t bytes = 0; bytes <= SMALL_BYTES; bytes++) {
        uint8_t *const left_end = left + AREA_BYTES - bytes, *const right_end =
                                                                 right + AREA_BYTES - bytes;

        memcpy(right_end, left_end, bytes);
        assert_same(right_end, left_end, bytes);
        assert_int_equal(memcmp(right_end, left_end, bytes), 0);
        memmove(right_end, left_end, bytes);
        memset(right_end, 7, bytes);
        memcpy(right, left, bytes);
        assert_same(right, left, bytes);
        assert_int_equal(memcmp(right, left, bytes), 0);
        memmove(right, left, bytes);
        memset(right, 7, bytes);
    }
    area_free(left);
    area_free(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_alignments), cmocka_unit_test(test_move_overlaps),
        cmocka_unit_test(test_move_large),      cmocka_unit_test(test_fill),
        cmocka_unit_test(test_compare),         cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
