/*
 * Software floating point: conversions between float, double and integers, as the host's; and where
 * C leaves the result undefined, as float_calls.h says.
 */
#include "float_cases.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "float_calls.h"

/* The host's instructions, as compilers may move a NaN in other ways. */
static double host_extend(float value)
{
    double result;

    __asm__("cvtss2sd %1, %0" : "=x"(result) : "x"(value));
    return result;
}

static float host_truncate(double value)
{
    float result;

    __asm__("cvtsd2ss %1, %0" : "=x"(result) : "x"(value));
    return result;
}

static void test_resize(void **state)
{
    struct float_walk singles = {.layout = &float_single}, doubles = {.layout = &float_double};
    uint64_t value;

    (void)state;
    while (float_walk_values(&singles, &value))
        assert_int_equal(__extendsfdf2((uint32_t)value),
                         double_bits(host_extend(float_from_bits((uint32_t)value))));
    while (float_walk_values(&doubles, &value))
        assert_int_equal(__truncdfsf2(value), float_bits(host_truncate(double_from_bits(value))));
}

/* Around each power of two, and around each value halfway between two floats or doubles. */
static __uint128_t random_integer(struct random *random)
{
    const __uint128_t value = random_wide(random);
    const __uint128_t power = (__uint128_t)1 << random_below(random, 128);
    const __uint128_t near = random_below(random, 5) - (__uint128_t)2;

    switch (random_below(random, 4)) {
    case 0:
        return value;
    case 1:
        return power + near;
    case 2: /* few bits at the top, few at the bottom */
        return (power | (power >> random_below(random, 60))) + near;
    default:
        return value << random_below(random, 128);
    }
}

/* Each integer type from the same 128 bits, and its negative from the signed ones. */
#define CHECK_FROM(type, value, single_call, double_call)                                          \
    do {                                                                                           \
        const type integer = (type)(value);                                                        \
        if (single_call(integer) != float_bits((float)integer))                                    \
            fail_msg(#single_call " of %#" PRIx64 "%016" PRIx64, (uint64_t)((value) >> 64),        \
                     (uint64_t)(value));                                                           \
        if (double_call(integer) != double_bits((double)integer))                                  \
            fail_msg(#double_call " of %#" PRIx64 "%016" PRIx64, (uint64_t)((value) >> 64),        \
                     (uint64_t)(value));                                                           \
    } while (0)

static void check_from_integer(__uint128_t value)
{
    CHECK_FROM(int32_t, value, __floatsisf, __floatsidf);
    CHECK_FROM(int64_t, value, __floatdisf, __floatdidf);
    CHECK_FROM(__int128_t, value, __floattisf, __floattidf);
    CHECK_FROM(uint32_t, value, __floatunsisf, __floatunsidf);
    CHECK_FROM(uint64_t, value, __floatundisf, __floatundidf);
    CHECK_FROM(__uint128_t, value, __floatuntisf, __floatuntidf);
}

static void test_from_integer(void **state)
{
    struct random random = {1};

    (void)state;
    for (int bit = 0; bit < 128; bit++) {
        for (int near = -2; near <= 2; near++) {
            check_from_integer(((__uint128_t)1 << bit) + (__uint128_t)near);
            check_from_integer(-(((__uint128_t)1 << bit) + (__uint128_t)near));
        }
    }
    for (int i = 0; i < FLOAT_RANDOM_CASES; i++)
        check_from_integer(random_integer(&random));
}

/* What C defines by the host, everything else by the promise: the nearest, NaN as infinity. */
#define DEFINE_EXPECTED(name, type, smallest, largest)                                             \
    static type name(double value)                                                                 \
    {                                                                                              \
        const double whole = trunc(value);                                                         \
        const double lower = (double)(smallest), above = 2 * ((double)((largest) / 2 + 1));        \
        if (whole >= lower && whole < above)                                                       \
            return (type)value;                                                                    \
        return signbit(value) ? (smallest) : (largest);                                            \
    }

#define INT128_LARGEST ((__int128_t)(~(__uint128_t)0 >> 1))
#define INT128_SMALLEST (-INT128_LARGEST - 1)

DEFINE_EXPECTED(to_si, int32_t, INT32_MIN, INT32_MAX)
DEFINE_EXPECTED(to_di, int64_t, INT64_MIN, INT64_MAX)
DEFINE_EXPECTED(to_ti, __int128_t, INT128_SMALLEST, INT128_LARGEST)
DEFINE_EXPECTED(to_unssi, uint32_t, (uint32_t)0, UINT32_MAX)
DEFINE_EXPECTED(to_unsdi, uint64_t, (uint64_t)0, UINT64_MAX)
DEFINE_EXPECTED(to_unsti, __uint128_t, (__uint128_t)0, ~(__uint128_t)0)

#define CHECK_TO(call, bits, expected)                                                             \
    do {                                                                                           \
        if (call(bits) != (expected))                                                              \
            fail_msg(#call " of %#" PRIx64, (uint64_t)(bits));                                     \
    } while (0)

static void test_single_to_integer(void **state)
{
    struct float_walk walk = {.layout = &float_single};
    uint64_t bits;

    (void)state;
    while (float_walk_values(&walk, &bits)) {
        const uint32_t single = (uint32_t)bits;
        const double value = host_extend(float_from_bits(single)); /* exact */

        CHECK_TO(__fixsfsi, single, to_si(value));
        CHECK_TO(__fixsfdi, single, to_di(value));
        CHECK_TO(__fixsfti, single, to_ti(value));
        CHECK_TO(__fixunssfsi, single, to_unssi(value));
        CHECK_TO(__fixunssfdi, single, to_unsdi(value));
        CHECK_TO(__fixunssfti, single, to_unsti(value));
    }
}

static void test_double_to_integer(void **state)
{
    struct float_walk walk = {.layout = &float_double};
    uint64_t bits;

    (void)state;
    while (float_walk_values(&walk, &bits)) {
        const double value = double_from_bits(bits);

        CHECK_TO(__fixdfsi, bits, to_si(value));
        CHECK_TO(__fixdfdi, bits, to_di(value));
        CHECK_TO(__fixdfti, bits, to_ti(value));
        CHECK_TO(__fixunsdfsi, bits, to_unssi(value));
        CHECK_TO(__fixunsdfdi, bits, to_unsdi(value));
        CHECK_TO(__fixunsdfti, bits, to_unsti(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_from_integer),
        cmocka_unit_test(test_single_to_integer),
        cmocka_unit_test(test_double_to_integer),
    };

    return cmocka_run_group_tests_name("float convert", tests, NULL, NULL);
}
