/*
 * Finds TAP in what a guest writes to its serial port, while it comes, for whoever reads standard
 * output, as Meson does. What the lines are worth is for tap_tests.c.
 *
 * Before the plan there is the output of firmware and loader, which people want to see when it
 * comes, and up to the last byte of a guest that hangs. So only what may still be a plan is held.
 */
#include "run/tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/escape.h"
#include "run/tap_tests.h"

/* A line with more bytes before the comment of its plan is none. */
#define HELD_BYTES 1024
/* What is not TAP goes out in pieces of this, or at the end of what came. */
#define OUTPUT_BYTES 4096

struct tap {
    struct tap_sink sink;
    enum escape escape;
    enum tap_plan plan; /* of this line, before the plan has come */
    bool has_ended;
    char held[HELD_BYTES];
    size_t held_bytes;
    char output[OUTPUT_BYTES];
    size_t output_bytes;
    char line[TAP_LINE_BYTES + 1]; /* the text, with room for its end */
    size_t line_bytes;
    struct tap_tests tests;
    char failure[TAP_PROBLEM_BYTES + 64];
};

struct tap *tap_new(struct tap_sink sink)
{
    struct tap *tap = calloc(1, sizeof(*tap));

    if (tap)
        tap->sink = sink;
    return tap;
}

static void flush_output(struct tap *tap)
{
    if (tap->output_bytes > 0)
        tap->sink.write(tap->sink.context, tap->output, tap->output_bytes, false);
    tap->output_bytes = 0;
}

static void output_byte(struct tap *tap, char byte)
{
    if (tap->output_bytes == OUTPUT_BYTES)
        flush_output(tap);
    tap->output[tap->output_bytes++] = byte;
}

static void release_held(struct tap *tap)
{
    for (size_t i = 0; i < tap->held_bytes; i++)
        output_byte(tap, tap->held[i]);
    tap->held_bytes = 0;
}

static void add_to_line(struct tap *tap, char byte)
{
    if (tap->line_bytes < TAP_LINE_BYTES)
        tap->line[tap->line_bytes++] = byte;
}

/* What was not taken for a plan, as it was too long, must not become one here. */
static bool judge_line(struct tap *tap, bool may_be_plan, struct error *error)
{
    struct tap_line line;

    tap->line[tap->line_bytes] = 0;
    tap->line_bytes = 0;
    tap_line_parse(&line, tap->line);
    if (line.kind == TAP_LINE_PLAN && !may_be_plan)
        return true;
    return tap_tests_add(&tap->tests, &line, error);
}

static bool end_tap_line(struct tap *tap, struct error *error)
{
    tap->line[tap->line_bytes] = '\n';
    tap->sink.write(tap->sink.context, tap->line, tap->line_bytes + 1, true);
    return judge_line(tap, true, error);
}

/* The reader of the TAP has not got those that came before their plan. */
static bool write_early_test(struct tap *tap, const struct tap_test *test, struct error *error)
{
    static const char *const directives[] = {
        [TAP_NO_DIRECTIVE] = "", [TAP_SKIP] = " # SKIP ", [TAP_TODO] = " # TODO "};
    char *text;
    int length = asprintf(&text, "%sok %" PRIu64 "%s%s%s%s\n", test->is_ok ? "" : "not ",
                          test->number, *test->description ? " - " : "", test->description,
                          directives[test->directive], test->reason);

    if (length < 0)
        return error_out_of_memory(error);
    tap->sink.write(tap->sink.context, text, (size_t)length, true);
    free(text);
    return true;
}

static bool begin_tap(struct tap *tap, struct error *error)
{
    tap->held_bytes = 0;
    flush_output(tap);
    for (size_t i = 0; i < tap->tests.kept; i++) {
        if (!write_early_test(tap, &tap->tests.tests[i], error))
            return false;
    }
    return end_tap_line(tap, error);
}

static bool is_whole_plan(enum tap_plan plan)
{
    return plan == TAP_PLAN_COUNT || plan == TAP_PLAN_SPACE || plan == TAP_PLAN_COMMENT;
}

static bool end_early_line(struct tap *tap, struct error *error)
{
    bool is_plan = is_whole_plan(tap->plan);

    tap->plan = TAP_PLAN_START;
    if (is_plan)
        return begin_tap(tap, error);
    release_held(tap);
    output_byte(tap, '\n');
    return judge_line(tap, false, error);
}

/* Escapes before the first character of a line are no part of a plan. */
static void take_early_byte(struct tap *tap, char byte, bool is_text)
{
    if (is_text) {
        tap->plan = tap_plan_next(tap->plan, byte);
        add_to_line(tap, byte);
    }
    if (tap->plan == TAP_PLAN_COMMENT)
        return;
    if (tap->held_bytes == HELD_BYTES)
        tap->plan = TAP_PLAN_NOT;
    if (tap->plan == TAP_PLAN_START || tap->plan == TAP_PLAN_NOT) {
        release_held(tap);
        output_byte(tap, byte);
    } else {
        tap->held[tap->held_bytes++] = byte;
    }
}

static bool take_byte(struct tap *tap, char byte, struct error *error)
{
    bool is_text = !escape_hides(&tap->escape, byte);
    bool is_end = is_text && byte == '\n';

    if (tap->tests.has_plan) {
        if (is_end)
            return end_tap_line(tap, error);
        if (is_text)
            add_to_line(tap, byte);
        return true;
    }
    if (is_end)
        return end_early_line(tap, error);
    take_early_byte(tap, byte, is_text);
    return true;
}

bool tap_feed(struct tap *tap, const char *bytes, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!take_byte(tap, bytes[i], error))
            return false;
    }
    flush_output(tap);
    return true;
}

bool tap_end(struct tap *tap, struct error *error)
{
    bool is_good = true;

    if (tap->tests.has_plan) {
        if (tap->line_bytes > 0)
            is_good = end_tap_line(tap, error);
    } else if (is_whole_plan(tap->plan)) {
        is_good = begin_tap(tap, error);
    } else {
        release_held(tap);
        is_good = judge_line(tap, false, error);
    }
    flush_output(tap);
    tap->has_ended = true;
    return is_good;
}

enum tap_state tap_state(const struct tap *tap)
{
    const struct tap_tests *tests = &tap->tests;
    bool is_complete = tap_tests_are_complete(tests);

    if (tests->is_bailed_out)
        return TAP_FAILED;
    if (!tests->has_plan && tests->count == 0)
        return TAP_NONE;
    if (!is_complete && !tap->has_ended)
        return TAP_RUNNING;
    return is_complete && !tests->problem[0] && tests->not_ok_count == 0 ? TAP_PASSED : TAP_FAILED;
}

/* "test 3 of 7 not ok: name" */
static void describe_not_ok(struct tap *tap)
{
    const struct tap_tests *tests = &tap->tests;
    size_t digits = strspn(tests->not_ok, "0123456789");
    char of[32] = "";

    if (tests->has_plan)
        snprintf(of, sizeof(of), " of %" PRIu64, tests->planned);
    if (tests->not_ok_count == 1)
        snprintf(tap->failure, sizeof(tap->failure), "test %.*s%s not ok%s", (int)digits,
                 tests->not_ok, of, tests->not_ok + digits);
    else
        snprintf(tap->failure, sizeof(tap->failure), "%" PRIu64 "%s tests not ok, first test %s",
                 tests->not_ok_count, of, tests->not_ok);
}

const char *tap_failure(struct tap *tap)
{
    const struct tap_tests *tests = &tap->tests;

    if (tests->problem[0])
        return tests->problem;
    if (tests->not_ok_count > 0)
        describe_not_ok(tap);
    else if (!tap->has_ended || tap_tests_are_complete(tests))
        return NULL;
    else if (tests->has_plan)
        snprintf(tap->failure, sizeof(tap->failure), "%" PRIu64 " of %" PRIu64 " tests came",
                 tests->count, tests->planned);
    else if (tests->count > 0)
        snprintf(tap->failure, sizeof(tap->failure), "no plan, and %" PRIu64 " tests",
                 tests->count);
    else
        return NULL;
    return tap->failure;
}

const char *tap_skip_reason(const struct tap *tap)
{
    return tap->tests.skip_reason;
}

const struct tap_test *tap_tests(const struct tap *tap, size_t *count)
{
    *count = tap->tests.kept;
    return tap->tests.tests;
}

void tap_free(struct tap *tap)
{
    if (!tap)
        return;
    tap_tests_free(&tap->tests);
    free(tap);
}
