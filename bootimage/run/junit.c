/*
 * Writes the report that CI systems read. There is no standard: this is what GitLab, Jenkins and
 * the actions for GitHub have in common.
 *
 * Times are of the whole run: a guest's TAP does not tell how long a test took.
 */
#include "run/junit.h"

#include <inttypes.h>
#include <string.h>

#include "run/xml.h"

#define PROGRAM "bootimage"

struct counts {
    size_t tests;
    size_t failures;
    size_t skipped;
};

static const struct tap_test *tests_of(const struct junit_run *run, size_t *count)
{
    *count = 0;
    return run->tap ? tap_tests(run->tap, count) : NULL;
}

static bool is_failure(const struct tap_test *test)
{
    return !test->is_ok && test->directive != TAP_TODO;
}

static bool is_skipped(const struct tap_test *test)
{
    return !is_failure(test) && (test->directive == TAP_SKIP || !test->is_ok);
}

/* Why no test was to be run, or NULL. */
static const char *skip_reason(const struct junit_run *run)
{
    return run->tap && !run->failure ? tap_skip_reason(run->tap) : NULL;
}

/* Whether the run itself is a test case. */
static bool is_run_a_case(const struct junit_run *run, const struct counts *of_tap)
{
    return of_tap->tests == 0 || (run->failure && (run->report || of_tap->failures == 0));
}

static struct counts count_tests(const struct junit_run *run)
{
    struct counts counts = {0};
    const struct tap_test *tests = tests_of(run, &counts.tests);

    for (size_t i = 0; i < counts.tests; i++) {
        counts.failures += is_failure(&tests[i]);
        counts.skipped += is_skipped(&tests[i]);
    }
    return counts;
}

static void write_time(uint64_t milliseconds, FILE *output)
{
    fprintf(output, " time=\"%" PRIu64 ".%03u\"", milliseconds / 1000,
            (unsigned int)(milliseconds % 1000));
}

static void write_failure(const char *message, const char *text, FILE *output)
{
    fputs("      <failure", output);
    xml_write_attribute("message", message, output);
    fputs(" type=\"failure\">", output);
    xml_write_text(text, strlen(text), output);
    fputs("</failure>\n", output);
}

static void write_skipped(const char *message, FILE *output)
{
    fputs("      <skipped", output);
    xml_write_attribute("message", message, output);
    fputs("/>\n", output);
}

static void begin_case(const struct junit_run *run, const char *name, FILE *output)
{
    fputs("    <testcase", output);
    xml_write_attribute("name", name, output);
    xml_write_attribute("classname", run->name, output);
}

static void write_test(const struct junit_run *run, const struct tap_test *test, FILE *output)
{
    char numbered[32];
    const char *diagnostics = test->diagnostics ? test->diagnostics : "";

    snprintf(numbered, sizeof(numbered), "test %" PRIu64, test->number);
    const char *name = *test->description ? test->description : numbered;
    begin_case(run, name, output);
    write_time(0, output);
    fputs(">\n", output);
    if (is_failure(test))
        write_failure(name, diagnostics, output);
    else if (is_skipped(test))
        write_skipped(test->reason, output);
    fputs("    </testcase>\n", output);
}

/* Named so that it is told from the tests of a kernel. */
static void write_run(const struct junit_run *run, FILE *output)
{
    const char *reason = skip_reason(run);

    begin_case(run, PROGRAM " test", output);
    write_time(run->milliseconds, output);
    fputs(">\n", output);
    if (run->failure)
        write_failure(run->failure, run->report ? run->report : "", output);
    else if (reason)
        write_skipped(reason, output);
    fputs("    </testcase>\n", output);
}

/* A character of which the beginning is cut off is left out, too. */
static void write_serial(const struct junit_run *run, FILE *output)
{
    const char *bytes = run->serial;
    size_t count = run->serial_bytes;

    fputs("    <system-out>", output);
    if (count > JUNIT_SERIAL_BYTES) {
        bytes += count - JUNIT_SERIAL_BYTES;
        count = JUNIT_SERIAL_BYTES;
        for (unsigned int i = 0; i < 3 && ((unsigned char)*bytes & 0xC0) == 0x80; i++, count--)
            bytes++;
        fprintf(output, "(%zu bytes before these are left out)\n", run->serial_bytes - count);
    }
    if (count > 0)
        xml_write_text(bytes, count, output);
    fputs("</system-out>\n", output);
}

static void begin_suite(const char *tag, const struct junit_run *run, const struct counts *counts,
                        FILE *output)
{
    fprintf(output, "<%s", tag);
    xml_write_attribute("name", run->name, output);
    fprintf(output, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", counts->tests,
            counts->failures, counts->skipped);
    write_time(run->milliseconds, output);
    fputs(">\n", output);
}

bool junit_write(const struct junit_run *run, FILE *output)
{
    struct counts counts = count_tests(run);
    bool has_run = is_run_a_case(run, &counts);
    size_t test_count;
    const struct tap_test *tests = tests_of(run, &test_count);

    if (has_run) {
        counts.tests++;
        counts.failures += run->failure != NULL;
        counts.skipped += skip_reason(run) != NULL;
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", output);
    begin_suite("testsuites", run, &counts, output);
    fputs("  ", output);
    begin_suite("testsuite", run, &counts, output);
    for (size_t i = 0; i < test_count; i++)
        write_test(run, &tests[i], output);
    if (has_run)
        write_run(run, output);
    write_serial(run, output);
    fputs("  </testsuite>\n</testsuites>\n", output);
    return !ferror(output);
}
