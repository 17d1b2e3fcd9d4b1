/*
 * Takes a line of a guest's TAP apart. What comes before has taken away terminal escapes; whether
 * the lines together are a passed test, tap.c knows.
 *
 * Indented lines are YAML or the tests of a test, whose outcome the test has: they say nothing
 * here.
 */
#include "run/tap_line.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define SPACES " \t"

static char *skip_spaces(char *text)
{
    return text + strspn(text, SPACES);
}

static void cut_spaces(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && strchr(SPACES, text[length - 1]))
        text[--length] = 0;
}

/* Digits up to a space or the end, else there is no number. *text moves behind it. */
static bool take_number(char **text, uint64_t *number)
{
    char *at = *text;

    for (*number = 0; isdigit((unsigned char)*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    if (at == *text || (*at && !strchr(SPACES "#", *at)))
        return false;
    *text = at;
    return true;
}

/* "# SKIP why", where SKIP may be a longer word, or "# TODO why". */
static enum tap_directive read_directive(char *text, const char **reason)
{
    static const char skip[] = "SKIP";
    static const char todo[] = "TODO";
    char *word = skip_spaces(text + 1);
    char *end = word + strcspn(word, SPACES);
    enum tap_directive directive = TAP_NO_DIRECTIVE;

    if (strncasecmp(word, skip, strlen(skip)) == 0)
        directive = TAP_SKIP;
    else if ((size_t)(end - word) == strlen(todo) && strncasecmp(word, todo, strlen(todo)) == 0)
        directive = TAP_TODO;
    if (directive != TAP_NO_DIRECTIVE)
        *reason = skip_spaces(end);
    return directive;
}

/* Cuts text before its directive. A '#' behind a backslash begins none. */
static void split_directive(struct tap_line *result, char *text)
{
    for (char *at = text; (at = strchr(at, '#')); at++) {
        if (at > text && at[-1] == '\\')
            continue;
        result->directive = read_directive(at, &result->reason);
        if (result->directive == TAP_NO_DIRECTIVE)
            continue;
        *at = 0;
        break;
    }
    cut_spaces(text);
}

static bool is_plan(const char *line)
{
    enum tap_plan plan = TAP_PLAN_START;

    for (; *line && plan != TAP_PLAN_COMMENT; line++)
        plan = tap_plan_next(plan, *line);
    return plan >= TAP_PLAN_COUNT && plan != TAP_PLAN_NOT;
}

static void parse_plan(struct tap_line *result, char *line)
{
    char *text = line + strlen("1..");

    result->kind = TAP_LINE_PLAN;
    result->has_number = take_number(&text, &result->number);
    split_directive(result, text);
    if (result->number > 0)
        result->directive = TAP_NO_DIRECTIVE;
}

static void parse_test(struct tap_line *result, char *line)
{
    static const char not [] = "not ";
    char *text = line;

    result->is_ok = strncmp(text, not, strlen(not )) != 0;
    if (!result->is_ok)
        text = skip_spaces(text + strlen(not ));
    if (strncmp(text, "ok", 2) != 0 || (text[2] && !strchr(SPACES "#", text[2])))
        return;
    result->kind = TAP_LINE_TEST;
    text = skip_spaces(text + 2);
    result->has_number = take_number(&text, &result->number);
    text = skip_spaces(text);
    if (text[0] == '-' && (!text[1] || strchr(SPACES, text[1])))
        text = skip_spaces(text + 1);
    split_directive(result, text);
    result->text = text;
}

void tap_line_parse(struct tap_line *result, char *line)
{
    static const char bail_out[] = "Bail out!";

    *result = (struct tap_line){.kind = TAP_LINE_OTHER, .text = "", .reason = ""};
    cut_spaces(line);
    if (*line == '#') {
        result->kind = TAP_LINE_DIAGNOSTIC;
        result->text = line + 1 + (line[1] == ' ');
    } else if (strncasecmp(line, bail_out, strlen(bail_out)) == 0) {
        result->kind = TAP_LINE_BAIL_OUT;
        result->text = skip_spaces(line + strlen(bail_out));
    } else if (is_plan(line)) {
        parse_plan(result, line);
    } else {
        parse_test(result, line);
    }
}

enum tap_plan tap_plan_next(enum tap_plan plan, char character)
{
    bool is_digit = isdigit((unsigned char)character);

    switch (plan) {
    case TAP_PLAN_START:
        return character == '1' ? TAP_PLAN_ONE : TAP_PLAN_NOT;
    case TAP_PLAN_ONE:
        return character == '.' ? TAP_PLAN_DOT : TAP_PLAN_NOT;
    case TAP_PLAN_DOT:
        return character == '.' ? TAP_PLAN_DOTS : TAP_PLAN_NOT;
    case TAP_PLAN_DOTS:
        return is_digit ? TAP_PLAN_COUNT : TAP_PLAN_NOT;
    case TAP_PLAN_COUNT:
        if (is_digit)
            return TAP_PLAN_COUNT;
        break;
    case TAP_PLAN_SPACE:
        break;
    case TAP_PLAN_COMMENT:
    case TAP_PLAN_NOT:
        return plan;
    }
    if (character == '#')
        return TAP_PLAN_COMMENT;
    return character && strchr(SPACES, character) ? TAP_PLAN_SPACE : TAP_PLAN_NOT;
}
