/*
 * 128-bit integers and bits, against the host's operators and against loops over bits.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "integer_calls.h"
#include "random.h"

#define RANDOM_CASES 1000000

static const uint64_t halves[] = {
    0,
    1,
    2,
    3,
    10,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x100000000,
    INT64_MAX,
    (uint64_t)INT64_MAX + 1,
    (uint64_t)INT64_MAX + 2,
    UINT64_MAX - 1,
    UINT64_MAX,
};
#define HALF_COUNT (sizeof(halves) / sizeof(halves[0]))
#define SPECIAL_COUNT (HALF_COUNT * HALF_COUNT)

static __uint128_t special(size_t index)
{
    return (__uint128_t)halves[index / HALF_COUNT] << 64 | halves[index % HALF_COUNT];
}

/* Fails, and says for which operands, unless the condition holds. */
#define CHECK(condition, left, right)                                                              \
    check(condition, #condition, (__uint128_t)(left), (__uint128_t)(right))

static void check(bool is_right, const char *condition, __uint128_t left, __uint128_t right)
{
    if (!is_right)
        fail_msg("%s: %#" PRIx64 "%016" PRIx64 ", %#" PRIx64 "%016" PRIx64, condition,
                 (uint64_t)(left >> 64), (uint64_t)left, (uint64_t)(right >> 64), (uint64_t)right);
}

/* All pairs of special values, then random ones. */
static void for_each_pair(void (*look)(__uint128_t left, __uint128_t right))
{
    struct random random = {1};

    for (size_t left = 0; left < SPECIAL_COUNT; left++) {
        for (size_t right = 0; right < SPECIAL_COUNT; right++)
            look(special(left), special(right));
    }
    for (int i = 0; i < RANDOM_CASES; i++) {
        const __uint128_t left = random_wide(&random), right = random_wide(&random);
        const uint64_t signs = random_bits(&random);

        look(signs & 1 ? -left : left, signs & 2 ? -right : right);
    }
}

static void check_unsigned_division(__uint128_t left, __uint128_t right)
{
    __uint128_t remainder = 0;

    if (right == 0)
        return;
    CHECK(__udivti3(left, right) == left / right, left, right);
    CHECK(__umodti3(left, right) == left % right, left, right);
    CHECK(__udivmodti4(left, right, &remainder) == left / right, left, right);
    CHECK(remainder == left % right, left, right);
    CHECK(__udivmodti4(left, right, NULL) == left / right, left, right);
}

static void check_signed_division(__uint128_t left_bits, __uint128_t right_bits)
{
    const __int128_t left = (__int128_t)left_bits, right = (__int128_t)right_bits;
    const bool is_smallest = left_bits == (__uint128_t)1 << 127;
    __int128_t remainder = 0;

    if (right == 0 || (right == -1 && is_smallest))
        return;
    CHECK(__divti3(left, right) == left / right, left, right);
    CHECK(__modti3(left, right) == left % right, left, right);
    CHECK(__divmodti4(left, right, &remainder) == left / right, left, right);
    CHECK(remainder == left % right, left, right);
}

static void check_multiplication(__uint128_t left_bits, __uint128_t right_bits)
{
    const __int128_t left = (__int128_t)left_bits, right = (__int128_t)right_bits;
    __int128_t expected;
    int64_t expected_di;
    int32_t expected_si;
    int overflow = -1;

    CHECK((__uint128_t)__multi3(left, right) == left_bits * right_bits, left, right);
    CHECK(__muloti4(left, right, &overflow) == (__int128_t)(left_bits * right_bits), left, right);
    CHECK(overflow == __builtin_mul_overflow(left, right, &expected), left, right);
    overflow = -1;
    __builtin_mul_overflow((int64_t)left, (int64_t)right, &expected_di);
    CHECK(__mulodi4((int64_t)left, (int64_t)right, &overflow) == expected_di, left, right);
    CHECK(overflow == __builtin_mul_overflow((int64_t)left, (int64_t)right, &expected_di), left,
          right);
    overflow = -1;
    __builtin_mul_overflow((int32_t)left, (int32_t)right, &expected_si);
    CHECK(__mulosi4((int32_t)left, (int32_t)right, &overflow) == expected_si, left, right);
    CHECK(overflow == __builtin_mul_overflow((int32_t)left, (int32_t)right, &expected_si), left,
          right);
}

static void check_comparison(__uint128_t left, __uint128_t right)
{
    const __int128_t x = (__int128_t)left, y = (__int128_t)right;

    CHECK(__ucmpti2(left, right) == (left < right ? 0 : left == right ? 1 : 2), left, right);
    CHECK(__cmpti2(x, y) == (x < y ? 0 : x == y ? 1 : 2), left, right);
}

static void check_shifts(__uint128_t value, __uint128_t bits)
{
    const int count = (int)(bits & 127);
    const __int128_t x = (__int128_t)value;

    CHECK((__uint128_t)__ashlti3(x, count) == value << count, value, count);
    CHECK((__uint128_t)__lshrti3(x, count) == value >> count, value, count);
    CHECK(__ashrti3(x, count) == x >> count, value, count);
    CHECK((__uint128_t)__negti2(x) == -value, value, count);
}

static void test_unsigned_division(void **state)
{
    (void)state;
    for_each_pair(check_unsigned_division);
}

static void test_signed_division(void **state)
{
    (void)state;
    for_each_pair(check_signed_division);
}

static void test_multiplication(void **state)
{
    (void)state;
    for_each_pair(check_multiplication);
}

static void test_comparison(void **state)
{
    (void)state;
    for_each_pair(check_comparison);
}

static void test_shifts(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPECIAL_COUNT; i++) {
        for (unsigned int count = 0; count < 128; count++)
            check_shifts(special(i), count);
    }
    for_each_pair(check_shifts);
}

/* Where the first and the last 1 of so many bits are, and how many there are. */
struct bit_facts {
    int first, last, count;
};

static struct bit_facts look_at_bits(__uint128_t value, int bits)
{
    struct bit_facts facts = {-1, -1, 0};

    for (int i = 0; i < bits; i++) {
        if ((value >> i & 1) == 0)
            continue;
        facts.first = facts.first < 0 ? i : facts.first;
        facts.last = i;
        facts.count++;
    }
    return facts;
}

#define CHECK_BITS(value, bits, clz, ctz, ffs, popcount, parity)                                   \
    do {                                                                                           \
        const struct bit_facts facts = look_at_bits(value, bits);                                  \
        CHECK(facts.count == 0 || clz(value) == (bits)-1 - facts.last, value, bits);               \
        CHECK(facts.count == 0 || ctz(value) == facts.first, value, bits);                         \
        CHECK(ffs(value) == facts.first + 1, value, bits);                                         \
        CHECK(popcount(value) == facts.count, value, bits);                                        \
        CHECK(parity(value) == facts.count % 2, value, bits);                                      \
    } while (0)

static void check_bits(__uint128_t value)
{
    const uint64_t di = (uint64_t)value;
    const uint32_t si = (uint32_t)value;

    CHECK_BITS(si, 32, __clzsi2, __ctzsi2, __ffssi2, __popcountsi2, __paritysi2);
    CHECK_BITS(di, 64, __clzdi2, __ctzdi2, __ffsdi2, __popcountdi2, __paritydi2);
    CHECK_BITS(value, 128, __clzti2, __ctzti2, __ffsti2, __popcountti2, __parityti2);
    for (int i = 0; i < 128; i += 8)
        CHECK((__bswapti2(value) >> i & 0xFF) == (value >> (120 - i) & 0xFF), value, i);
    for (int i = 0; i < 64; i += 8)
        CHECK((__bswapdi2(di) >> i & 0xFF) == (di >> (56 - i) & 0xFF), value, i);
    for (int i = 0; i < 32; i += 8)
        CHECK((__bswapsi2(si) >> i & 0xFF) == (si >> (24 - i) & 0xFF), value, i);
}

static void test_bits(void **state)
{
    struct random random = {2};

    (void)state;
    for (size_t i = 0; i < SPECIAL_COUNT; i++)
        check_bits(special(i));
    /* Each check is over two hundred steps, and no two values take another path. */
    for (int i = 0; i < RANDOM_CASES / 10; i++)
        check_bits(random_wide(&random) << random_below(&random, 128));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsigned_division),
        cmocka_unit_test(test_signed_division),
        cmocka_unit_test(test_multiplication),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_bits),
    };

    return cmocka_run_group_tests_name("integers", tests, NULL, NULL);
}
