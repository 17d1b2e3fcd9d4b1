/*
 * Texts for people: what a file name may do to a terminal, it must not do.
 */
#include "support.h"

#include <string.h>

static void first_error_stays(void **state)
{
    struct error error = {0};

    (void)state;
    assert_false(error_set(&error, "%s: %d", "first", 1));
    assert_false(error_set(&error, "second"));
    support_assert_error(&error, "first: 1");
    assert_null(error.text);
}

static void controls_are_escaped(void **state)
{
    static const struct {
        const char *raw;
        const char *shown;
    } cases[] = {
        {"plain \\ ~", "plain \\ ~"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
        {"\x1b[2J", "\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0"},
        {"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\x9b\xff", "\\x9b\\xff"},
        {"\xc3", "\\xc3"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xe2\x82x", "\\xe2\\x82x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = {0};

        error_set(&error, "%s", cases[i].raw);
        support_assert_error(&error, cases[i].shown);
    }
}

static void warnings_are_collected(void **state)
{
    struct error error = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        error_warn(&error, "warning\n%d", i);
    assert_int_equal(error.warning_count, 100);
    assert_string_equal(error.warnings[0], "warning\\x0a0");
    assert_string_equal(error.warnings[99], "warning\\x0a99");
    assert_null(error.text);
    error_free(&error);
    assert_int_equal(error.warning_count, 0);
}

/* What failed was optional: the text becomes a warning, and the next failure counts. */
static void errors_become_warnings(void **state)
{
    struct error error = {0};

    (void)state;
    error_warn(&error, "first");
    error_set(&error, "second");
    error_demote(&error);
    assert_null(error.text);
    assert_int_equal(error.warning_count, 2);
    assert_string_equal(error.warnings[1], "second");
    error_set(&error, "third");
    assert_string_equal(error.text, "third");
    error_free(&error);
}

/* Against RFC 3629 §4, whose grammar is a table; here it is by all characters and by all starts. */
static void utf8_is_as_the_rfc_has_it(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x10ffff; c += c < 0x11000 ? 1 : 97) {
        char text[8] = {0};
        size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = length - 1, rest = c; i > 0; i--, rest >>= 6)
            text[i] = (char)(0x80 | (rest & 0x3f));
        if (length == 1)
            text[0] = (char)c;
        else
            text[0] = (char)((0xf00u >> length & 0xf0) | c >> 6 * (length - 1));
        bool surrogate = c >= 0xd800 && c < 0xe000;
        assert_int_equal(error_utf8_length(text), surrogate ? 0 : length);
        text[length - 1] = 'x';
        assert_int_equal(error_utf8_length(text), length == 1 ? 1 : 0);
    }
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(error_utf8_length(wrong[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_stays),         cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(warnings_are_collected),    cmocka_unit_test(errors_become_warnings),
        cmocka_unit_test(utf8_is_as_the_rfc_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
