/*
 * Streams as a guest writes them: what of it is passed on as TAP, when, and what it is worth. Each
 * is fed whole and in pieces of every size.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tap.h"

/* What the two streams got. */
struct output {
    char text[2][1 << 18];
    size_t bytes[2];
    size_t calls;
};

static void write_output(void *context, const char *bytes, size_t count, bool is_tap)
{
    struct output *output = context;

    assert_in_range(count, 1, sizeof(output->text[0]) - 1 - output->bytes[is_tap]);
    memcpy(output->text[is_tap] + output->bytes[is_tap], bytes, count);
    output->bytes[is_tap] += count;
    output->text[is_tap][output->bytes[is_tap]] = 0;
    output->calls++;
}

static struct tap *start(struct output *output)
{
    output->text[0][0] = output->text[1][0] = 0;
    output->bytes[0] = output->bytes[1] = output->calls = 0;
    struct tap *tap = tap_new((struct tap_sink){.write = write_output, .context = output});
    assert_non_null(tap);
    return tap;
}

static void feed(struct tap *tap, const char *bytes, size_t count, size_t piece)
{
    struct error error = {0};

    for (size_t at = 0; at < count; at += piece) {
        size_t left = count - at;

        assert_true(tap_feed(tap, bytes + at, piece < left ? piece : left, &error));
    }
}

static void end(struct tap *tap)
{
    struct error error = {0};

    assert_true(tap_end(tap, &error));
}

/* The tap after all of the text, which was all the same in whatever pieces. */
static struct tap *feed_all(const char *text, struct output *output)
{
    static struct output cut;
    struct tap *whole = start(output);
    size_t count = strlen(text);

    feed(whole, text, count, count + 1);
    enum tap_state state = tap_state(whole);
    end(whole);
    for (size_t piece = 1; piece < count && piece < 200; piece++) {
        struct tap *tap = start(&cut);

        feed(tap, text, count, piece);
        assert_int_equal(tap_state(tap), state);
        end(tap);
        assert_string_equal(cut.text[0], output->text[0]);
        assert_string_equal(cut.text[1], output->text[1]);
        assert_int_equal(tap_state(tap), tap_state(whole));
        tap_free(tap);
    }
    return whole;
}

static struct output output;

static void streams_and_what_they_are_worth(void **state)
{
    static const struct {
        const char *text;
        enum tap_state before_end;
        enum tap_state state;
        const char *failure;
    } cases[] = {
        {"", TAP_NONE, TAP_NONE, NULL},
        {"hello\nok\n1..", TAP_NONE, TAP_NONE, NULL},
        {"1..2\nok 1\nok 2\n", TAP_PASSED, TAP_PASSED, NULL},
        {"1..2\nok\nok\n", TAP_PASSED, TAP_PASSED, NULL},
        {"TAP version 13\n1..1\nok 1 - x\n", TAP_PASSED, TAP_PASSED, NULL},
        {"1..1\nok", TAP_RUNNING, TAP_PASSED, NULL},
        {"1..1\nsome words\n  ok 1\n  ---\n  a: b\n  ...\nok 1\nbye\n", TAP_PASSED, TAP_PASSED,
         NULL},
        {"1..2\nnot ok 1 - x # TODO\nok 2 # SKIP y\n", TAP_PASSED, TAP_PASSED, NULL},
        {"1..0 # SKIP no HPET\n", TAP_PASSED, TAP_PASSED, NULL},
        {"1..0\n", TAP_PASSED, TAP_PASSED, NULL},
        {"ok 1\nok 2\n1..2\n", TAP_PASSED, TAP_PASSED, NULL},
        {"ok 1\nok 2\n1..2", TAP_RUNNING, TAP_PASSED, NULL},
        {"ok 5 of them\n1..1\nok 1\n", TAP_PASSED, TAP_PASSED, NULL},

        {"1..7\n", TAP_RUNNING, TAP_FAILED, "0 of 7 tests came"},
        {"1..7\nok 1\nok 2\n", TAP_RUNNING, TAP_FAILED, "2 of 7 tests came"},
        {"1..99999999999999999999\nok 1\n", TAP_RUNNING, TAP_FAILED,
         "1 of 18446744073709551615 tests came"},
        {"1..3\nok 1\nnot ok 2 - maps a page\nok 3\n", TAP_FAILED, TAP_FAILED,
         "test 2 of 3 not ok: maps a page"},
        {"1..3\nok 1\nnot ok 2\nok 3\n", TAP_FAILED, TAP_FAILED, "test 2 of 3 not ok"},
        {"1..3\nok 1\nnot ok 2 - a\n", TAP_RUNNING, TAP_FAILED, "test 2 of 3 not ok: a"},
        {"1..3\nok 1\nnot ok 2 - a\nnot ok\n", TAP_FAILED, TAP_FAILED,
         "2 of 3 tests not ok, first test 2: a"},
        {"1..1\nnot ok 1 - x # SKIP y\n", TAP_FAILED, TAP_FAILED, "test 1 of 1 not ok: x"},
        {"not ok 1\n1..1\n", TAP_FAILED, TAP_FAILED, "test 1 of 1 not ok"},
        {"not ok 1 - a\n", TAP_RUNNING, TAP_FAILED, "test 1 not ok: a"},
        {"ok 1\nok 2\n", TAP_RUNNING, TAP_FAILED, "no plan, and 2 tests"},
        {"1..2\nok 2\nok 1\n", TAP_FAILED, TAP_FAILED, "test 2 came where test 1 was due"},
        {"1..2\nok 1\nok 1\n", TAP_FAILED, TAP_FAILED, "test 1 came where test 2 was due"},
        {"1..2\nok 1\nok 3\n", TAP_FAILED, TAP_FAILED, "test 3 came where test 2 was due"},
        {"1..1\nok 1\nok 2\n", TAP_FAILED, TAP_FAILED, "test 2 came, and the plan is of 1"},
        {"1..1\nok\nok\n", TAP_FAILED, TAP_FAILED, "test 2 came, and the plan is of 1"},
        {"1..0\nok\n", TAP_FAILED, TAP_FAILED, "test 1 came, and the plan is of 0"},
        {"ok 1\nok 2\n1..1\n", TAP_FAILED, TAP_FAILED, "2 tests came, and the plan is of 1"},
        {"ok 1\n1..2\nok 2\n", TAP_FAILED, TAP_FAILED,
         "test 2 came behind the plan, and others before it"},
        {"1..1\n1..1\nok 1\n", TAP_FAILED, TAP_FAILED, "a second plan came"},
        {"1..1\nok 1\n1..1\nok 1\n", TAP_FAILED, TAP_FAILED, "a second plan came"},
        {"1..2\nok 1\nBail out! no RAM\nok 2\n", TAP_FAILED, TAP_FAILED, "bailed out: no RAM"},
        {"1..2\nBail out!\n", TAP_FAILED, TAP_FAILED, "bailed out"},
        {"Bail out!\n", TAP_FAILED, TAP_FAILED, "bailed out"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tap *tap = start(&output);

        feed(tap, cases[i].text, strlen(cases[i].text), 1);
        assert_int_equal(tap_state(tap), cases[i].before_end);
        tap_free(tap);
        tap = feed_all(cases[i].text, &output);
        assert_int_equal(tap_state(tap), cases[i].state);
        if (cases[i].failure)
            assert_string_equal(tap_failure(tap), cases[i].failure);
        else
            assert_null(tap_failure(tap));
        tap_free(tap);
    }
}

/* Both streams, byte by byte. */
static void only_tap_is_passed_on_as_tap(void **state)
{
    static const struct {
        const char *text;
        const char *other;
        const char *tap;
    } cases[] = {
        {"SeaBIOS\r\n1..1\r\nok 1\r\nbye\r\n", "SeaBIOS\r\n", "1..1\nok 1\nbye\n"},
        {"\x1b[2J\x1b[01;01H1..1\r\nok 1 \x1b[32mgreen\x1b[0m\r\n", "\x1b[2J\x1b[01;01H",
         "1..1\nok 1 green\n"},
        {"\r\x1b[K1\x1b[1m..\x1b[0m1 # x\ny", "\r\x1b[K", "1..1 # x\ny\n"},
        {"1\n1.\n1..\n1..x\n1..2 x\n11..2\n", "1\n1.\n1..\n1..x\n1..2 x\n11..2\n", ""},
        {"1\x1b[1m..\r2 x\n", "1\x1b[1m..\r2 x\n", ""},
        {"a 1..2\n", "a 1..2\n", ""},
        {"1..", "1..", ""},
        {"1..2", "", "1..2\n"},
        {"1..1\n1..1\n", "", "1..1\n1..1\n"},
        {"1..1\n\nok", "", "1..1\n\nok\n"},
        {"ok 1 - a - b\nx\nnot ok 2 # TODO y\nok 3\n# c\n1..3\n#d\n",
         "ok 1 - a - b\nx\nnot ok 2 # TODO y\nok 3\n# c\n",
         "ok 1 - a - b\nnot ok 2 # TODO y\nok 3\n1..3\n#d\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tap *tap = feed_all(cases[i].text, &output);

        assert_string_equal(output.text[0], cases[i].other);
        assert_string_equal(output.text[1], cases[i].tap);
        tap_free(tap);
    }
}

/* What cannot be a plan any more is out before the next byte comes. */
static void nothing_else_is_held_back(void **state)
{
    static const struct {
        const char *bytes;
        const char *out;
    } steps[] = {
        {"\x1b[", "\x1b["},
        {"2J", "\x1b[2J"},
        {"1", "\x1b[2J"},
        {"..", "\x1b[2J"},
        {"4 ", "\x1b[2J"},
        {"\x1b[1m", "\x1b[2J"},
        {"x", "\x1b[2J1..4 \x1b[1mx"},
        {"1", "\x1b[2J1..4 \x1b[1mx1"},
        {"\n", "\x1b[2J1..4 \x1b[1mx1\n"},
        {"loading", "\x1b[2J1..4 \x1b[1mx1\nloading"},
    };
    struct tap *tap = start(&output);

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        feed(tap, steps[i].bytes, strlen(steps[i].bytes), 100);
        assert_string_equal(output.text[0], steps[i].out);
    }
    tap_free(tap);
}

static void tests_are_kept(void **state)
{
    struct tap *tap = feed_all("# before\n1..4\n# of none\nok 1 - a\n# not kept\nnot ok - b\n#c\n"
                               "# d\nprint\n#\nok # SKIP e\nnot ok 4 f # TODO g\n# h",
                               &output);
    size_t count;
    const struct tap_test *tests = tap_tests(tap, &count);

    (void)state;
    assert_int_equal(count, 4);
    assert_int_equal(tests[0].number, 1);
    assert_true(tests[0].is_ok);
    assert_string_equal(tests[0].description, "a");
    assert_null(tests[0].diagnostics);
    assert_int_equal(tests[1].number, 2);
    assert_false(tests[1].is_ok);
    assert_string_equal(tests[1].description, "b");
    assert_string_equal(tests[1].diagnostics, "c\nd\n\n");
    assert_int_equal(tests[2].directive, TAP_SKIP);
    assert_string_equal(tests[2].description, "");
    assert_string_equal(tests[2].reason, "e");
    assert_int_equal(tests[3].directive, TAP_TODO);
    assert_string_equal(tests[3].reason, "g");
    assert_string_equal(tests[3].diagnostics, "h\n");
    assert_null(tap_skip_reason(tap));
    tap_free(tap);

    tap = feed_all("1..0 # SKIP no HPET\n", &output);
    assert_string_equal(tap_skip_reason(tap), "no HPET");
    tap_free(tap);
}

/* Too much of anything: all is counted, memory stays what it is. */
static void too_much_is_bounded(void **state)
{
    static char text[TAP_LINE_BYTES + 100];
    struct tap *tap = start(&output);
    size_t count;

    (void)state;
    /* A plan that would take too many spaces is none. */
    memset(text, ' ', sizeof(text));
    feed(tap, "1..4", 4, 4);
    feed(tap, text, 2000, 1);
    assert_int_equal(output.bytes[0], 2004);
    feed(tap, "\n1..70000 # ", 12, 5);
    memset(text, 'x', sizeof(text));
    feed(tap, text, sizeof(text), 1000);
    feed(tap, "\n", 1, 1);
    assert_int_equal(output.bytes[0], 2005);
    assert_int_equal(output.bytes[1], TAP_LINE_BYTES + 1);

    output.bytes[1] = 0;
    feed(tap, "not ok 1\n# ", 11, 5);
    feed(tap, text, sizeof(text), sizeof(text));
    feed(tap, "\n", 1, 1);
    feed(tap, "# y\n", 4, 4);
    assert_int_equal(strlen(tap_tests(tap, &count)[0].diagnostics), TAP_LINE_BYTES - 2 + 1);
    for (unsigned int i = 2; i <= 70000; i++) {
        output.bytes[1] = 0;
        feed(tap, i % 2 ? "ok\n" : "ok 0x\n", i % 2 ? 3 : 6, 6);
    }
    assert_int_equal(tap_state(tap), TAP_FAILED);
    assert_string_equal(tap_failure(tap), "test 1 of 70000 not ok");
    tap_tests(tap, &count);
    assert_int_equal(count, TAP_TESTS_KEPT);
    tap_free(tap);
}

/* The words of all tests together. */
static void words_are_bounded(void **state)
{
    static char text[60000];
    struct tap *tap = start(&output);
    size_t count;
    size_t bytes = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    feed(tap, "1..400\n", 7, 7);
    for (unsigned int i = 0; i < 400; i++) {
        output.bytes[1] = 0;
        feed(tap, "ok ", 3, 3);
        if (i != 300)
            feed(tap, text, sizeof(text), sizeof(text));
        feed(tap, "\n", 1, 1);
    }
    assert_int_equal(tap_state(tap), TAP_PASSED);
    const struct tap_test *tests = tap_tests(tap, &count);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(tests[i].description);
    assert_int_equal(count, TAP_TEXT_BYTES / sizeof(text));
    assert_in_range(bytes, TAP_TEXT_BYTES - sizeof(text), TAP_TEXT_BYTES);
    tap_free(tap);
}

static void null_is_freed(void **state)
{
    (void)state;
    tap_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_what_they_are_worth),
        cmocka_unit_test(only_tap_is_passed_on_as_tap),
        cmocka_unit_test(nothing_else_is_held_back),
        cmocka_unit_test(tests_are_kept),
        cmocka_unit_test(too_much_is_bounded),
        cmocka_unit_test(words_are_bounded),
        cmocka_unit_test(null_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
