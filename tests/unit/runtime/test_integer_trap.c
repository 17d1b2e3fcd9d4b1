/*
 * Arithmetic that traps at an overflow (-ftrapv): it does so exactly where the host's checked
 * arithmetic reports one, and gives the host's result elsewhere.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "integer_calls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct outcome {
    bool overflow;
    __int128_t result; /* if there was no overflow */
};

/* One operation on one type, by the runtime and by the host; both take what fits the type. */
struct operation {
    const char *name;
    __int128_t (*runtime)(__int128_t left, __int128_t right);
    struct outcome (*host)(__int128_t left, __int128_t right);
};

#define DEFINE(call, type, overflows)                                                              \
    static __int128_t runtime##call(__int128_t left, __int128_t right)                             \
    {                                                                                              \
        return call((type)left, (type)right);                                                      \
    }                                                                                              \
    static struct outcome host##call(__int128_t left, __int128_t right)                            \
    {                                                                                              \
        type result;                                                                               \
        const bool overflow = overflows((type)left, (type)right, &result);                         \
        return (struct outcome){overflow, result};                                                 \
    }

/* Negation and magnitude, as operations of which the first operand does not count. */
#define NEGATE_OVERFLOWS(ignored, value, result) __builtin_sub_overflow(0, value, result)
#define MAGNITUDE_OVERFLOWS(ignored, value, result)                                                \
    __builtin_mul_overflow(value, (value) < 0 ? -1 : 1, result)
#define DEFINE_UNARY(call, type, overflows)                                                        \
    static __int128_t runtime##call(__int128_t ignored, __int128_t value)                          \
    {                                                                                              \
        (void)ignored;                                                                             \
        return call((type)value);                                                                  \
    }                                                                                              \
    static struct outcome host##call(__int128_t ignored, __int128_t value)                         \
    {                                                                                              \
        type result;                                                                               \
        const bool overflow = overflows(ignored, (type)value, &result);                            \
        (void)ignored;                                                                             \
        return (struct outcome){overflow, result};                                                 \
    }

DEFINE(__addvsi3, int32_t, __builtin_add_overflow)
DEFINE(__addvdi3, int64_t, __builtin_add_overflow)
DEFINE(__addvti3, __int128_t, __builtin_add_overflow)
DEFINE(__subvsi3, int32_t, __builtin_sub_overflow)
DEFINE(__subvdi3, int64_t, __builtin_sub_overflow)
DEFINE(__subvti3, __int128_t, __builtin_sub_overflow)
DEFINE(__mulvsi3, int32_t, __builtin_mul_overflow)
DEFINE(__mulvdi3, int64_t, __builtin_mul_overflow)
DEFINE(__mulvti3, __int128_t, __builtin_mul_overflow)
DEFINE_UNARY(__negvsi2, int32_t, NEGATE_OVERFLOWS)
DEFINE_UNARY(__negvdi2, int64_t, NEGATE_OVERFLOWS)
DEFINE_UNARY(__negvti2, __int128_t, NEGATE_OVERFLOWS)
DEFINE_UNARY(__absvsi2, int32_t, MAGNITUDE_OVERFLOWS)
DEFINE_UNARY(__absvdi2, int64_t, MAGNITUDE_OVERFLOWS)
DEFINE_UNARY(__absvti2, __int128_t, MAGNITUDE_OVERFLOWS)

#define ROW(call)                                                                                  \
    {                                                                                              \
#call, runtime##call, host##call                                                           \
    }

static const struct operation operations[] = {
    ROW(__addvsi3), ROW(__addvdi3), ROW(__addvti3), ROW(__subvsi3), ROW(__subvdi3),
    ROW(__subvti3), ROW(__mulvsi3), ROW(__mulvdi3), ROW(__mulvti3), ROW(__negvsi2),
    ROW(__negvdi2), ROW(__negvti2), ROW(__absvsi2), ROW(__absvdi2), ROW(__absvti2),
};

static sigjmp_buf before_trap;

static void on_invalid_opcode(int number)
{
    (void)number;
    siglongjmp(before_trap, 1);
}

static struct outcome run(const struct operation *operation, __int128_t left, __int128_t right)
{
    if (sigsetjmp(before_trap, 1) != 0)
        return (struct outcome){.overflow = true};
    return (struct outcome){false, operation->runtime(left, right)};
}

static void check(const struct operation *operation, __int128_t left, __int128_t right)
{
    const struct outcome expected = operation->host(left, right);
    const struct outcome found = run(operation, left, right);

    if (found.overflow != expected.overflow || (!found.overflow && found.result != expected.result))
        fail_msg("%s: ...%016" PRIx64 ", ...%016" PRIx64, operation->name, (uint64_t)left,
                 (uint64_t)right);
}

/* The values around 2^bit and -2^bit. */
static __int128_t operand(size_t index)
{
    const __uint128_t value = ((__uint128_t)1 << index / 6) + index % 3 - 1;

    return (__int128_t)(index % 6 < 3 ? value : -value);
}

static void test_traps(void **state)
{
    const struct sigaction action = {.sa_handler = on_invalid_opcode};
    static const size_t bits[] = {0, 1, 15, 16, 30, 31, 32, 47, 62, 63, 64, 96, 126, 127};
    struct sigaction old;

    (void)state;
    assert_int_equal(sigaction(SIGILL, &action, &old), 0);
    for (size_t i = 0; i < COUNT(operations); i++) {
        for (size_t left = 0; left < 6 * COUNT(bits); left++) {
            for (size_t right = 0; right < 6 * COUNT(bits); right++)
                check(&operations[i], operand(6 * bits[left / 6] + left % 6),
                      operand(6 * bits[right / 6] + right % 6));
        }
    }
    sigaction(SIGILL, &old, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traps),
    };

    return cmocka_run_group_tests_name("trapping integers", tests, NULL, NULL);
}
