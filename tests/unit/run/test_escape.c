/*
 * Terminal escapes, told from text: what is left is compared.
 */
#include "support.h"

#include <string.h>

#include "run/escape.h"

static void escapes_are_told_from_text(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"plain", "plain"},
        {"\x1b[2J\x1b[01;01H\x1b[0m\x1b[37m\x1b[40m1..4", "1..4"},
        {"a\x1b[=3hb\x1b[?25lc", "abc"},
        {"a\x1b(Bb\x1b#8c\x1b"
         "cd\x1b=e",
         "abcde"},
        {"a\x1b]0;title\ab\x1b]8;;url\x1b\\c", "abc"},
        {"a\x1bPstring\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde"},
        /* Not finished. */
        {"a\x1b", "a"},
        {"a\x1b[", "a"},
        {"a\x1b[12", "a"},
        {"a\x1b\nb", "a\nb"},
        {"a\x1b[1\nb", "a\nb"},
        {"a\x1b(\nb", "a\nb"},
        {"a\x1b]0;title\nb", "a\nb"},
        {"a\x1b\x1b[1mb", "ab"},
        {"a\x1b[1\x1b[1mb", "ab"},
        {"a\x1b[1\x18"
         "b\x1b]x\x1a"
         "c",
         "abc"},
        {"a\x1b]x\x1b[1mb", "ab"},
        {"a\x1b]x\x1b\nb", "a\nb"},
        /* UTF-8 is text, also where it has C1 controls as bytes. */
        {"\xc3\x9b\xe2\x9b\x9d", "\xc3\x9b\xe2\x9b\x9d"},
        {"a\x1b[\xc3\xbc", "a\xc3\xbc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum escape escape = ESCAPE_NONE;
        char text[64] = "";
        size_t length = 0;

        for (const char *byte = cases[i].bytes; *byte; byte++) {
            if (!escape_take(&escape, *byte))
                text[length++] = *byte;
        }
        assert_string_equal(text, cases[i].text);
    }
}

static void line_ends_are_hidden(void **state)
{
    enum escape escape = ESCAPE_NONE;

    (void)state;
    assert_true(escape_hides(&escape, '\r'));
    assert_true(escape_hides(&escape, 0));
    assert_false(escape_hides(&escape, '\n'));
    assert_false(escape_hides(&escape, '\t'));
    assert_true(escape_hides(&escape, '\x1b'));
    assert_true(escape_hides(&escape, 'c'));
    assert_false(escape_hides(&escape, 'c'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_told_from_text),
        cmocka_unit_test(line_ends_are_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
