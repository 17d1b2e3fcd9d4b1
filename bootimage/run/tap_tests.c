/*
 * Judges the lines of a guest's TAP, and keeps the tests for reports. Lines that mean nothing here
 * are let pass: kernels print what they like between two tests.
 *
 * The guest may be broken and never stop: what is kept is bounded, and all beyond is counted only.
 */
#include "run/tap_tests.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

__attribute__((format(printf, 2, 3))) static void set_problem(struct tap_tests *tests,
                                                              const char *format, ...)
{
    va_list arguments;

    if (tests->problem[0])
        return;
    va_start(arguments, format);
    vsnprintf(tests->problem, sizeof(tests->problem), format, arguments);
    va_end(arguments);
}

static bool make_room(struct tap_tests *tests)
{
    size_t capacity = tests->capacity ? 2 * tests->capacity : FIRST_CAPACITY;

    if (tests->kept < tests->capacity)
        return true;
    struct tap_test *grown = realloc(tests->tests, capacity * sizeof(*grown));
    if (!grown)
        return false;
    tests->tests = grown;
    tests->capacity = capacity;
    return true;
}

/* Tests are kept up to the first that is one too many, so that none is missing between others. */
static bool keep_test(struct tap_tests *tests, const struct tap_line *line, struct error *error)
{
    size_t bytes = strlen(line->text) + strlen(line->reason);

    if (tests->kept < tests->count - 1 || tests->kept == TAP_TESTS_KEPT ||
        bytes > TAP_TEXT_BYTES - tests->text_bytes)
        return true;
    if (!make_room(tests))
        return error_out_of_memory(error);
    struct tap_test *test = &tests->tests[tests->kept];
    *test = (struct tap_test){
        .number = tests->count,
        .is_ok = line->is_ok,
        .directive = line->directive,
        .description = strdup(line->text),
        .reason = strdup(line->reason),
    };
    tests->kept++;
    tests->text_bytes += bytes;
    return (test->description && test->reason) || error_out_of_memory(error);
}

static void judge_test(struct tap_tests *tests, const struct tap_line *line)
{
    if (line->has_number && line->number != tests->count)
        set_problem(tests, "test %" PRIu64 " came where test %" PRIu64 " was due", line->number,
                    tests->count);
    if (tests->has_plan && tests->count > tests->planned)
        set_problem(tests, "test %" PRIu64 " came, and the plan is of %" PRIu64, tests->count,
                    tests->planned);
    if (tests->has_plan && tests->early_count > 0)
        set_problem(tests, "test %" PRIu64 " came behind the plan, and others before it",
                    tests->count);
    if (line->is_ok || line->directive == TAP_TODO)
        return;
    if (tests->not_ok_count++ == 0)
        snprintf(tests->not_ok, sizeof(tests->not_ok), "%" PRIu64 "%s%s", tests->count,
                 *line->text ? ": " : "", line->text);
}

/* Before the plan, a test has a number: else it is just the word "ok". Nor is "ok 7" there the
   first of the tests. */
static bool add_test(struct tap_tests *tests, const struct tap_line *line, struct error *error)
{
    if (!tests->has_plan && (!line->has_number || (tests->count == 0 && line->number != 1)))
        return true;
    tests->count++;
    judge_test(tests, line);
    return keep_test(tests, line, error);
}

static bool add_plan(struct tap_tests *tests, const struct tap_line *line, struct error *error)
{
    if (tests->has_plan) {
        set_problem(tests, "a second plan came");
        return true;
    }
    tests->has_plan = true;
    tests->planned = line->number;
    tests->early_count = tests->count;
    if (tests->count > tests->planned)
        set_problem(tests, "%" PRIu64 " tests came, and the plan is of %" PRIu64, tests->count,
                    tests->planned);
    if (tests->planned > 0)
        return true;
    tests->skip_reason = strdup(line->reason);
    return tests->skip_reason || error_out_of_memory(error);
}

/* A comment behind a test that is not ok says why. */
static bool add_diagnostic(struct tap_tests *tests, const struct tap_line *line,
                           struct error *error)
{
    struct tap_test *test = tests->kept > 0 ? &tests->tests[tests->kept - 1] : NULL;
    size_t old_bytes = test && test->diagnostics ? strlen(test->diagnostics) : 0;
    size_t bytes = strlen(line->text) + 1;

    if (!test || test->is_ok || tests->kept < tests->count ||
        old_bytes + bytes > TAP_DIAGNOSTICS_BYTES || bytes > TAP_TEXT_BYTES - tests->text_bytes)
        return true;
    char *grown = realloc(test->diagnostics, old_bytes + bytes + 1);
    if (!grown)
        return error_out_of_memory(error);
    test->diagnostics = grown;
    sprintf(grown + old_bytes, "%s\n", line->text);
    tests->text_bytes += bytes;
    return true;
}

bool tap_tests_add(struct tap_tests *tests, const struct tap_line *line, struct error *error)
{
    switch (line->kind) {
    case TAP_LINE_TEST:
        return add_test(tests, line, error);
    case TAP_LINE_PLAN:
        return add_plan(tests, line, error);
    case TAP_LINE_DIAGNOSTIC:
        return add_diagnostic(tests, line, error);
    case TAP_LINE_BAIL_OUT:
        set_problem(tests, "bailed out%s%s", *line->text ? ": " : "", line->text);
        tests->is_bailed_out = true;
        break;
    case TAP_LINE_OTHER:
        break;
    }
    return true;
}

bool tap_tests_are_complete(const struct tap_tests *tests)
{
    return tests->has_plan && tests->count >= tests->planned;
}

void tap_tests_free(struct tap_tests *tests)
{
    for (size_t i = 0; i < tests->kept; i++) {
        free(tests->tests[i].description);
        free(tests->tests[i].reason);
        free(tests->tests[i].diagnostics);
    }
    free(tests->tests);
    free(tests->skip_reason);
}
