/*
 * Software floating point: comparisons, as the host's operators.
 */
#include "float_cases.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "float_calls.h"

struct results {
    int eq, ne, lt, le, gt, ge, unord;
};

/* What the host says: which of three, or unordered. */
struct relation {
    bool less, equal, greater;
};

static bool sign_matches(int result, struct relation relation)
{
    return relation.less ? result < 0 : relation.greater ? result > 0 : result == 0;
}

static bool is_right(struct results found, struct relation host)
{
    if (!host.less && !host.equal && !host.greater)
        return found.eq != 0 && found.ne != 0 && found.lt >= 0 && found.le > 0 && found.gt <= 0 &&
               found.ge < 0 && found.unord != 0;
    return sign_matches(found.eq, host) && sign_matches(found.ne, host) &&
           sign_matches(found.lt, host) && sign_matches(found.le, host) &&
           sign_matches(found.gt, host) && sign_matches(found.ge, host) && found.unord == 0;
}

static void check(struct float_pair pair, struct results found, struct relation host)
{
    if (!is_right(found, host))
        fail_msg("%#" PRIx64 " with %#" PRIx64 ": eq %d ne %d lt %d le %d gt %d ge %d unord %d",
                 pair.left, pair.right, found.eq, found.ne, found.lt, found.le, found.gt, found.ge,
                 found.unord);
}

static void test_single(void **state)
{
    struct float_walk walk = {.layout = &float_single};
    struct float_pair pair;

    (void)state;
    while (float_walk_pairs(&walk, &pair)) {
        const uint32_t left = (uint32_t)pair.left, right = (uint32_t)pair.right;
        const float x = float_from_bits(left), y = float_from_bits(right);

        check(pair,
              (struct results){__eqsf2(left, right), __nesf2(left, right), __ltsf2(left, right),
                               __lesf2(left, right), __gtsf2(left, right), __gesf2(left, right),
                               __unordsf2(left, right)},
              (struct relation){x<y, x == y, x> y});
    }
}

static void test_double(void **state)
{
    struct float_walk walk = {.layout = &float_double};
    struct float_pair pair;

    (void)state;
    while (float_walk_pairs(&walk, &pair)) {
        const uint64_t left = pair.left, right = pair.right;
        const double x = double_from_bits(left), y = double_from_bits(right);

        check(pair,
              (struct results){__eqdf2(left, right), __nedf2(left, right), __ltdf2(left, right),
                               __ledf2(left, right), __gtdf2(left, right), __gedf2(left, right),
                               __unorddf2(left, right)},
              (struct relation){x<y, x == y, x> y});
    }
}

/* Random pairs are hardly ever equal: each value with itself, with its negative, with the next. */
static void test_neighbours(void **state)
{
    struct float_walk walk = {.layout = &float_double};
    uint64_t left;

    (void)state;
    while (float_walk_values(&walk, &left)) {
        const uint64_t others[] = {left, left ^ UINT64_C(1) << 63, left + 1, left - 1};
        const double x = double_from_bits(left);

        for (size_t i = 0; i < 4; i++) {
            const uint64_t right = others[i];
            const double y = double_from_bits(right);

            check((struct float_pair){left, right},
                  (struct results){__eqdf2(left, right), __nedf2(left, right), __ltdf2(left, right),
                                   __ledf2(left, right), __gtdf2(left, right), __gedf2(left, right),
                                   __unorddf2(left, right)},
                  (struct relation){x<y, x == y, x> y});
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_neighbours),
    };

    return cmocka_run_group_tests_name("float compare", tests, NULL, NULL);
}
