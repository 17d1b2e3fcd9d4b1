/*
 * A PC's text screen: what is on it, and what is not.
 */
#include "support.h"

#include "run/screen.h"

#include <stdlib.h>
#include <string.h>

static uint8_t cells[SCREEN_TEXT_BYTES];

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCREEN_TEXT_BYTES; i += 2) {
        cells[i] = ' ';
        cells[i + 1] = 0x07;
    }
    return 0;
}

/* The text in code page 437, with every attribute in turn. */
static void write_at(size_t row, size_t column, const char *text)
{
    uint8_t *at = &cells[2 * (row * SCREEN_TEXT_COLUMNS + column)];

    for (; *text; text++) {
        *at++ = (uint8_t)*text;
        *at = (uint8_t)(at - cells);
        at++;
    }
}

static void assert_shows(const char *text)
{
    if (!screen_text_shows(cells, text))
        fail_msg("\"%s\" is not found", text);
}

static void assert_shows_not(const char *text)
{
    if (screen_text_shows(cells, text))
        fail_msg("\"%s\" is found", text);
}

static void assert_prints(const char *text)
{
    char *lines = screen_text_print(cells);

    assert_non_null(lines);
    assert_string_equal(lines, text);
    free(lines);
}

static void text_is_found_wherever_it_is(void **state)
{
    (void)state;
    write_at(0, 0, "first");
    write_at(7, 33, "middle of it");
    write_at(24, 76, "last");
    assert_shows("first");
    assert_shows("rst");
    assert_shows("middle of it");
    assert_shows("le of");
    assert_shows("last");
    assert_shows("");
    assert_shows_not("firsts");
    assert_shows_not("lasts");
    assert_shows_not("middle  of it");
    assert_shows_not("middleof");
    assert_shows_not("First");
    assert_shows_not("middle first");
}

static void text_that_wrapped_is_found(void **state)
{
    (void)state;
    write_at(3, 70, "a word that wr");
    assert_shows("a word that wr");
    write_at(23, 75, "the ");
    write_at(23, 79, "very end");
    assert_shows("the very end");
    assert_shows("very end");
    assert_shows_not("the  very end");
    assert_shows_not("ve ry end");
}

/* Consoles that wrap whole words leave blanks, or swallow the one at the row's end. */
static void text_that_wrapped_at_a_blank_is_found(void **state)
{
    (void)state;
    write_at(4, 60, "some words of a");
    write_at(5, 0, "sentence");
    assert_shows("words of a sentence");
    assert_shows("of a   sentence");
    assert_shows("of a\nsentence");
    assert_shows_not("asentence");
    write_at(9, 75, "whole");
    write_at(10, 0, "row");
    assert_shows("whole row");
    assert_shows("wholerow");
    assert_shows_not("whole  rows");
    write_at(14, 77, "one");
    write_at(15, 1, "indented");
    assert_shows("one indented");
    assert_shows_not("oneindented");
    write_at(20, 0, "stops");
    write_at(22, 0, "two rows below");
    assert_shows_not("stops two");
}

static void blanks_at_ends_do_not_matter(void **state)
{
    (void)state;
    write_at(24, 76, "last");
    write_at(2, 10, "one");
    assert_shows("one ");
    assert_shows(" one");
    assert_shows("last ");
    assert_shows("last    ");
    assert_shows_not("last .");
    write_at(2, 13, ".");
    assert_shows_not("one ");
}

static void characters_of_code_page_437(void **state)
{
    (void)state;
    write_at(1, 0,
             "\x81"
             "ber \xB3\xDB\x01 \xE1\xE6 \xFF");
    cells[0] = 0; /* a kernel that clears with zeros */
    assert_shows("über │█☺ ßµ");
    assert_shows("βμ");
    assert_shows(" über");
    assert_shows_not("uber");
    assert_shows_not("über │ ☺");
    assert_prints("\nüber │█☺ ßµ\n");
}

static void what_is_no_text_is_not_there(void **state)
{
    (void)state;
    write_at(0, 0, "\xFC\xC3");
    assert_shows_not("\xFC");
    assert_shows_not("\xC3");
    assert_shows_not("\xED\xA0\x80");
    assert_shows_not("€");
    assert_shows_not("�");
}

static void the_whole_screen_as_lines(void **state)
{
    (void)state;
    assert_prints("");
    write_at(0, 2, "first  row");
    write_at(2, 0, "third");
    assert_prints("  first  row\n\nthird\n");
    memset(cells, 0xDB, sizeof(cells));
    char *lines = screen_text_print(cells);
    assert_non_null(lines);
    assert_int_equal(strlen(lines), 25 * (80 * 3 + 1));
    free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text_is_found_wherever_it_is, clear),
        cmocka_unit_test_setup(text_that_wrapped_is_found, clear),
        cmocka_unit_test_setup(text_that_wrapped_at_a_blank_is_found, clear),
        cmocka_unit_test_setup(blanks_at_ends_do_not_matter, clear),
        cmocka_unit_test_setup(characters_of_code_page_437, clear),
        cmocka_unit_test_setup(what_is_no_text_is_not_there, clear),
        cmocka_unit_test_setup(the_whole_screen_as_lines, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
