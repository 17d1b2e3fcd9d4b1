/*
 * Expressions met and not met by what a guest says, whatever pieces it comes in; and what is kept
 * of it.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "run/serial.h"

static struct serial serial; /* it is large */

static void open_patterns(const char **patterns, size_t count)
{
    const struct options_texts texts = {patterns, count};
    struct error error = {0};

    assert_true(serial_open(&serial, &texts, &error));
}

/* The first that is not met, when the text came in pieces of so many bytes, and then no more. */
static const char *unmet(const char *pattern, const char *text, size_t bytes, size_t piece)
{
    static const char *patterns[1];

    patterns[0] = pattern;
    open_patterns(patterns, 1);
    for (size_t at = 0; at < bytes; at += piece)
        serial_feed(&serial, text + at, piece < bytes - at ? piece : bytes - at);
    serial_settle(&serial, true);
    const char *first = serial_unmet(&serial);
    serial_close(&serial);
    return first;
}

static void lines_are_searched(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool is_met;
    } cases[] = {
        {"hello", "well, hello there\n", true},
        {"^hello$", "first\nhello\nlast\n", true},
        {"^hello$", "well, hello\n", false},
        {"^hello$", "hello there\n", false},
        {"^boot(ed|ing) [0-9]+ CPUs?$", "booting 12 CPUs\n", true},
        {"^boot(ed|ing) [0-9]+ CPUs?$", "booting x CPUs\n", false},
        /* A line feed is in no line, so that nothing meets it. */
        {"one.*two", "one\ntwo\n", false},
        {"one.two", "one\ntwo\n", false},
        {"^$", "\n", true},
        /* A carriage return and escape sequences are not there. */
        {"^hello$", "hello\r\n", true},
        {"^hello$", "\x1b[1;32mhel\x1b[0mlo\x1b[K\r\n", true},
        {"32m", "\x1b[1;32mhello\n", false},
        {"^title$", "\x1b]0;a window\atitle\n", true},
        {"window", "\x1b]0;a window\atitle\n", false},
        /* A prompt has no line feed. */
        {"^login: $", "welcome\nlogin: ", true},
        {"^> ", "> ", true},
        {"hello", "", false},
        {"\xc3\xa4", "M\xc3\xa4rz\n", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t bytes = strlen(cases[i].text);

        for (size_t piece = 1; piece <= bytes + 1; piece++) {
            const char *first = unmet(cases[i].pattern, cases[i].text, bytes, piece);

            if (!first != cases[i].is_met)
                fail_msg("%s in pieces of %zu: %s", cases[i].pattern, piece, first);
        }
    }
}

/* Where a piece ends, the line does not. */
static void end_of_line_is_waited_for(void **state)
{
    static const char *patterns[] = {"^> $"};

    (void)state;
    open_patterns(patterns, 1);
    serial_feed(&serial, "> ", 2);
    assert_non_null(serial_unmet(&serial));
    serial_settle(&serial, false);
    assert_non_null(serial_unmet(&serial));
    serial_feed(&serial, "quoted\n> ", 9);
    serial_settle(&serial, false);
    assert_non_null(serial_unmet(&serial));
    serial_settle(&serial, false);
    assert_null(serial_unmet(&serial));
    serial_close(&serial);

    open_patterns(patterns, 1);
    serial_settle(&serial, true);
    assert_non_null(serial_unmet(&serial));
    serial_feed(&serial, "> ", 2);
    serial_settle(&serial, true);
    assert_null(serial_unmet(&serial));
    serial_close(&serial);
}

/* A 0 is no end of what is searched. */
static void zeros_are_skipped(void **state)
{
    static const char text[] = "\0he\0llo\0\n";

    (void)state;
    assert_null(unmet("^hello$", text, sizeof(text) - 1, 100));
    assert_null(unmet("^hello$", text, sizeof(text) - 1, 1));
}

static void first_unmet_is_named(void **state)
{
    static const char *patterns[] = {"one", "two", "three"};

    (void)state;
    open_patterns(patterns, 3);
    assert_string_equal(serial_unmet(&serial), "one");
    serial_feed(&serial, "three\n", 6);
    assert_string_equal(serial_unmet(&serial), "one");
    serial_feed(&serial, "one\n", 4);
    assert_string_equal(serial_unmet(&serial), "two");
    /* What was seen once stays seen. */
    serial_feed(&serial, "nothing\n", 8);
    assert_string_equal(serial_unmet(&serial), "two");
    serial_feed(&serial, "two", 3);
    assert_null(serial_unmet(&serial));
    serial_close(&serial);
}

static void wrong_expression_is_refused(void **state)
{
    static const char *patterns[] = {"good", "(bad", "never looked at("};
    const struct options_texts texts = {patterns, 3};
    struct error error = {0};

    (void)state;
    assert_false(serial_open(&serial, &texts, &error));
    assert_non_null(strstr(error.text, "--expect-serial is (bad: "));
    assert_non_null(strstr(error.text, "[expect-regex]"));
    error_free(&error);
    serial_close(&serial);
}

/* A line without an end is searched piece by piece. */
static void long_line_is_searched(void **state)
{
    const size_t bytes = 5 * SERIAL_LINE_BYTES;
    char *text = malloc(bytes);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', bytes);
    memcpy(text + SERIAL_LINE_BYTES - 4, "last", 4);
    memcpy(text + SERIAL_LINE_BYTES, "next", 4);
    memcpy(text + bytes - 3, "end", 3);
    assert_null(unmet("last$", text, bytes, bytes));
    assert_null(unmet("^next", text, bytes, bytes));
    assert_null(unmet("end", text, bytes, 1000));
    assert_non_null(unmet("y", text, bytes, 777));
    free(text);
}

/* The newest bytes are kept as they are, however they came. */
static void tail_is_kept(void **state)
{
    static const size_t pieces[] = {
        1, 7, 4096, SERIAL_TAIL_BYTES - 1, SERIAL_TAIL_BYTES, 2 * SERIAL_TAIL_BYTES, 1u << 20,
    };
    const size_t bytes = 5 * SERIAL_TAIL_BYTES + 123;
    char *text = malloc(bytes);
    size_t kept;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)(i * i >> 3);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        open_patterns(NULL, 0);
        serial_tail(&serial, &kept);
        assert_int_equal(kept, 0);
        for (size_t at = 0; at < bytes;) {
            const size_t count = pieces[i] < bytes - at ? pieces[i] : bytes - at;

            serial_feed(&serial, text + at, count);
            at += count;
            const char *tail = serial_tail(&serial, &kept);
            assert_int_equal(kept, at < SERIAL_TAIL_BYTES ? at : SERIAL_TAIL_BYTES);
            if (pieces[i] > 1000 || at % 1001 == 0)
                assert_memory_equal(tail, text + at - kept, kept);
        }
        assert_null(serial_unmet(&serial));
        serial_close(&serial);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_searched),
        cmocka_unit_test(end_of_line_is_waited_for),
        cmocka_unit_test(zeros_are_skipped),
        cmocka_unit_test(first_unmet_is_named),
        cmocka_unit_test(wrong_expression_is_refused),
        cmocka_unit_test(long_line_is_searched),
        cmocka_unit_test(tail_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
