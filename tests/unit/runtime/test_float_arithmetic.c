/*
 * Software floating point: + - * /, the sign and integer powers, bit for bit as the host's SSE.
 */
#include "float_cases.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "float_calls.h"

/*
 * Both sides as functions of 64-bit patterns. The host's is one instruction and not an operator: of
 * two NaN the result depends on the order of operands, which a compiler may change.
 */
#define DEFINE(name, single_call, double_call, single_instruction, double_instruction)             \
    static uint64_t runtime_single_##name(uint64_t left, uint64_t right)                           \
    {                                                                                              \
        return single_call((uint32_t)left, (uint32_t)right);                                       \
    }                                                                                              \
    static uint64_t host_single_##name(uint64_t left, uint64_t right)                              \
    {                                                                                              \
        float result = float_from_bits((uint32_t)left);                                            \
        __asm__(single_instruction " %1, %0"                                                       \
                : "+x"(result)                                                                     \
                : "x"(float_from_bits((uint32_t)right)));                                          \
        return float_bits(result);                                                                 \
    }                                                                                              \
    static uint64_t runtime_double_##name(uint64_t left, uint64_t right)                           \
    {                                                                                              \
        return double_call(left, right);                                                           \
    }                                                                                              \
    static uint64_t host_double_##name(uint64_t left, uint64_t right)                              \
    {                                                                                              \
        double result = double_from_bits(left);                                                    \
        __asm__(double_instruction " %1, %0" : "+x"(result) : "x"(double_from_bits(right)));       \
        return double_bits(result);                                                                \
    }

DEFINE(add, __addsf3, __adddf3, "addss", "addsd")
DEFINE(subtract, __subsf3, __subdf3, "subss", "subsd")
DEFINE(multiply, __mulsf3, __muldf3, "mulss", "mulsd")
DEFINE(divide, __divsf3, __divdf3, "divss", "divsd")

static void compare(const struct float_layout *layout,
                    uint64_t (*runtime)(uint64_t left, uint64_t right),
                    uint64_t (*host)(uint64_t left, uint64_t right))
{
    struct float_walk walk = {.layout = layout};
    struct float_pair pair;

    while (float_walk_pairs(&walk, &pair)) {
        const uint64_t expected = host(pair.left, pair.right);
        const uint64_t found = runtime(pair.left, pair.right);

        if (found != expected)
            fail_msg("%#" PRIx64 " with %#" PRIx64 ": expected %#" PRIx64 ", found %#" PRIx64,
                     pair.left, pair.right, expected, found);
    }
}

static void test_add(void **state)
{
    (void)state;
    compare(&float_single, runtime_single_add, host_single_add);
    compare(&float_double, runtime_double_add, host_double_add);
}

static void test_subtract(void **state)
{
    (void)state;
    compare(&float_single, runtime_single_subtract, host_single_subtract);
    compare(&float_double, runtime_double_subtract, host_double_subtract);
}

static void test_multiply(void **state)
{
    (void)state;
    compare(&float_single, runtime_single_multiply, host_single_multiply);
    compare(&float_double, runtime_double_multiply, host_double_multiply);
}

static void test_divide(void **state)
{
    (void)state;
    compare(&float_single, runtime_single_divide, host_single_divide);
    compare(&float_double, runtime_double_divide, host_double_divide);
}

static void test_negate(void **state)
{
    struct float_walk singles = {.layout = &float_single}, doubles = {.layout = &float_double};
    uint64_t value;

    (void)state;
    while (float_walk_values(&singles, &value))
        assert_int_equal(__negsf2((uint32_t)value), float_bits(-float_from_bits((uint32_t)value)));
    while (float_walk_values(&doubles, &value))
        assert_int_equal(__negdf2(value), double_bits(-double_from_bits(value)));
}

/* Powers are often in range only for small exponents; others are tried, too. */
static int random_exponent(struct random *random)
{
    const int exponent = (int)random_below(random, 1u << (1 + random_below(random, 31)));

    return random_bits(random) & 1 ? -exponent : exponent;
}

static void test_power(void **state)
{
    static const int exponents[] = {0, 1, 2, 3, 4, 7, 31, 1023, INT32_MAX, -1, -2, -3, INT32_MIN};
    struct float_walk singles = {.layout = &float_single}, doubles = {.layout = &float_double};
    const size_t count = sizeof(exponents) / sizeof(exponents[0]);
    uint64_t value;

    (void)state;
    while (float_walk_values(&singles, &value)) {
        const int exponent = singles.next % 2 ? exponents[singles.next / 2 % count]
                                              : random_exponent(&singles.random);
        assert_int_equal(__powisf2((uint32_t)value, exponent),
                         float_bits(__builtin_powif(float_from_bits((uint32_t)value), exponent)));
    }
    while (float_walk_values(&doubles, &value)) {
        const int exponent = doubles.next % 2 ? exponents[doubles.next / 2 % count]
                                              : random_exponent(&doubles.random);
        assert_int_equal(__powidf2(value, exponent),
                         double_bits(__builtin_powi(double_from_bits(value), exponent)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),      cmocka_unit_test(test_subtract),
        cmocka_unit_test(test_multiply), cmocka_unit_test(test_divide),
        cmocka_unit_test(test_negate),   cmocka_unit_test(test_power),
    };

    return cmocka_run_group_tests_name("float arithmetic", tests, NULL, NULL);
}
