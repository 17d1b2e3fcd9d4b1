/*
 * Lines of TAP, and lines that only look like such.
 */
#include "support.h"

#include <string.h>

#include "run/tap_line.h"

#define NONE UINT64_MAX /* no number */

static void tests_and_what_is_none(void **state)
{
    static const struct {
        const char *line;
        enum tap_line_kind kind;
        bool is_ok;
        uint64_t number;
        const char *text;
        enum tap_directive directive;
        const char *reason;
    } cases[] = {
        {"ok", TAP_LINE_TEST, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"ok 1", TAP_LINE_TEST, true, 1, "", TAP_NO_DIRECTIVE, ""},
        {"ok 12 - maps a page ", TAP_LINE_TEST, true, 12, "maps a page", TAP_NO_DIRECTIVE, ""},
        {"ok - maps", TAP_LINE_TEST, true, NONE, "maps", TAP_NO_DIRECTIVE, ""},
        {"ok 3 maps - a page", TAP_LINE_TEST, true, 3, "maps - a page", TAP_NO_DIRECTIVE, ""},
        {"ok 3 -5 is less", TAP_LINE_TEST, true, 3, "-5 is less", TAP_NO_DIRECTIVE, ""},
        {"ok 3rd", TAP_LINE_TEST, true, NONE, "3rd", TAP_NO_DIRECTIVE, ""},
        {"ok maps", TAP_LINE_TEST, true, NONE, "maps", TAP_NO_DIRECTIVE, ""},
        {"not ok", TAP_LINE_TEST, false, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"not ok 2 - x", TAP_LINE_TEST, false, 2, "x", TAP_NO_DIRECTIVE, ""},
        {"ok 1 - x # SKIP no HPET", TAP_LINE_TEST, true, 1, "x", TAP_SKIP, "no HPET"},
        {"ok 1 # skipped: no HPET", TAP_LINE_TEST, true, 1, "", TAP_SKIP, "no HPET"},
        {"ok 1 x #SKIP", TAP_LINE_TEST, true, 1, "x", TAP_SKIP, ""},
        {"not ok 1 x # todo later", TAP_LINE_TEST, false, 1, "x", TAP_TODO, "later"},
        {"ok#TODO", TAP_LINE_TEST, true, NONE, "", TAP_TODO, ""},
        {"ok 1#TODO", TAP_LINE_TEST, true, 1, "", TAP_TODO, ""},
        {"ok 1 x # TODOS", TAP_LINE_TEST, true, 1, "x # TODOS", TAP_NO_DIRECTIVE, ""},
        {"ok 1 x # 1 # SKIP y", TAP_LINE_TEST, true, 1, "x # 1", TAP_SKIP, "y"},
        {"ok 1 x \\# SKIP y", TAP_LINE_TEST, true, 1, "x \\# SKIP y", TAP_NO_DIRECTIVE, ""},
        {"ok 99999999999999999999", TAP_LINE_TEST, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"okay", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"not okay", TAP_LINE_OTHER, false, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"nothing", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"OK 1", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"    ok 1 - of a subtest", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"TAP version 14", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"# a comment", TAP_LINE_DIAGNOSTIC, false, NONE, "a comment", TAP_NO_DIRECTIVE, ""},
        {"#  more", TAP_LINE_DIAGNOSTIC, false, NONE, " more", TAP_NO_DIRECTIVE, ""},
        {"#", TAP_LINE_DIAGNOSTIC, false, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"Bail out!", TAP_LINE_BAIL_OUT, false, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"Bail out!  no RAM", TAP_LINE_BAIL_OUT, false, NONE, "no RAM", TAP_NO_DIRECTIVE, ""},
        {"1..7", TAP_LINE_PLAN, false, 7, "", TAP_NO_DIRECTIVE, ""},
        {"1..0", TAP_LINE_PLAN, false, 0, "", TAP_NO_DIRECTIVE, ""},
        {"1..0 # SKIP no HPET", TAP_LINE_PLAN, false, 0, "", TAP_SKIP, "no HPET"},
        {"1..0#skip", TAP_LINE_PLAN, false, 0, "", TAP_SKIP, ""},
        {"1..3 # SKIP", TAP_LINE_PLAN, false, 3, "", TAP_NO_DIRECTIVE, ""},
        {"1..3 # three", TAP_LINE_PLAN, false, 3, "", TAP_NO_DIRECTIVE, ""},
        {"1..99999999999999999999", TAP_LINE_PLAN, false, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"1..", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"1..3 apples", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {"2..3", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
        {" 1..3", TAP_LINE_OTHER, true, NONE, "", TAP_NO_DIRECTIVE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tap_line line;
        char text[64];

        strcpy(text, cases[i].line);
        tap_line_parse(&line, text);
        assert_int_equal(line.kind, cases[i].kind);
        if (line.kind == TAP_LINE_TEST)
            assert_int_equal(line.is_ok, cases[i].is_ok);
        if (line.has_number)
            assert_int_equal(line.number, cases[i].number);
        else
            assert_int_equal(NONE, cases[i].number);
        assert_string_equal(line.text, cases[i].text);
        assert_int_equal(line.directive, cases[i].directive);
        assert_string_equal(line.reason, cases[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_and_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
