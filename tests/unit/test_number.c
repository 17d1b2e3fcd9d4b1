/*
 * Numbers in words: nothing is taken for one that is none.
 */
#include "support.h"

#include "number.h"

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
        bool is_bytes;
        uint64_t value;
    } cases[] = {
        {"0", true, true, 0},
        {"0x0", true, true, 0},
        {"010", true, true, 10},
        {"18446744073709551615", true, true, UINT64_MAX},
        {"0xffffffffffffffff", true, true, UINT64_MAX},
        {"0xaBcDeF0123456789", true, true, 0xabcdef0123456789},
        {"64K", false, true, 65536},
        {"0x10K", false, true, 16384},
        {"3M", false, true, 3 << 20},
        {"2G", false, true, 2ull << 30},
        {"17179869183G", false, true, 17179869183ull << 30},
        {"17179869184G", false, false, 0},
        {"18446744073709551616", false, false, 0},
        {"0x10000000000000000", false, false, 0},
        {"99999999999999999999999", false, false, 0},
        {"", false, false, 0},
        {"K", false, false, 0},
        {"0x", false, false, 0},
        {"0xK", false, false, 0},
        {"0X10", false, false, 0},
        {"-1", false, false, 0},
        {"+1", false, false, 0},
        {" 1", false, false, 0},
        {"1 ", false, false, 0},
        {"1k", false, false, 0},
        {"1KB", false, false, 0},
        {"1KK", false, false, 0},
        {"1.5M", false, false, 0},
        {"1a", false, false, 0},
        {"0xg", false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 0;

        assert_int_equal(number_parse(cases[i].text, &value), cases[i].is_number);
        if (cases[i].is_number)
            assert_int_equal(value, cases[i].value);
        assert_int_equal(number_parse_bytes(cases[i].text, &value), cases[i].is_bytes);
        if (cases[i].is_bytes)
            assert_int_equal(value, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
