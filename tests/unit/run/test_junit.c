/*
 * JUnit XML, to the byte. Whether other programs can read it, check_junit.py asks.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/junit.h"

static void drop(void *context, const char *bytes, size_t count, bool is_tap)
{
    (void)context;
    (void)bytes;
    (void)count;
    (void)is_tap;
}

static struct tap *read_tap(const char *text)
{
    struct tap *tap = tap_new((struct tap_sink){.write = drop});
    struct error error = {0};

    assert_non_null(tap);
    assert_true(tap_feed(tap, text, strlen(text), &error) && tap_end(tap, &error));
    return tap;
}

static char *write_run(const struct junit_run *run)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);

    assert_non_null(stream);
    assert_true(junit_write(run, stream));
    fclose(stream);
    return text;
}

static void assert_written(const struct junit_run *run, const char *expected)
{
    char *text = write_run(run);

    assert_string_equal(text, expected);
    free(text);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define SUITES(counts)                                                                             \
    HEAD "<testsuites name=\"k.elf\" " counts ">\n  <testsuite name=\"k.elf\" " counts ">\n"
#define END "  </testsuite>\n</testsuites>\n"

static void tests_of_a_guest(void **state)
{
    struct tap *tap = read_tap("1..5\nok 1 - a<b\nnot ok 2 - c\n# x & y\n# z\nok 3 # SKIP d\n"
                               "not ok 4 - e # TODO f\nok 5 - g # TODO h\n");
    struct junit_run run = {
        .name = "k.elf",
        .tap = tap,
        .failure = tap_failure(tap),
        .serial = "1..5\r\n\x1b[1mok",
        .serial_bytes = 12,
        .milliseconds = 61007,
    };

    (void)state;
    assert_written(&run,
                   SUITES("tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"2\" "
                          "time=\"61.007\"") "    <testcase name=\"a&lt;b\" classname=\"k.elf\" "
                                             "time=\"0.000\">\n    </testcase>\n"
                                             "    <testcase name=\"c\" classname=\"k.elf\" "
                                             "time=\"0.000\">\n"
                                             "      <failure message=\"c\" type=\"failure\">x "
                                             "&amp; y\nz\n</failure>\n    </testcase>\n"
                                             "    <testcase name=\"test 3\" classname=\"k.elf\" "
                                             "time=\"0.000\">\n"
                                             "      <skipped message=\"d\"/>\n    </testcase>\n"
                                             "    <testcase name=\"e\" classname=\"k.elf\" "
                                             "time=\"0.000\">\n"
                                             "      <skipped message=\"f\"/>\n    </testcase>\n"
                                             "    <testcase name=\"g\" classname=\"k.elf\" "
                                             "time=\"0.000\">\n    </testcase>\n"
                                             "    <system-out>1..5\nok</system-out>\n" END);
    tap_free(tap);
}

static void verdict_without_tests(void **state)
{
    struct junit_run run = {.name = "k.elf", .milliseconds = 999};

    (void)state;
    assert_written(&run, SUITES("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\" "
                                "time=\"0.999\"") "    <testcase name=\"bootimage test\" "
                                                  "classname=\"k.elf\" time=\"0.999\">\n"
                                                  "    </testcase>\n    "
                                                  "<system-out></system-out>\n" END);
    run.failure = "triple fault\nat \"f\"";
    run.report = "rax \"0\"\n\trbx>\n";
    assert_written(&run, SUITES("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\" "
                                "time=\"0.999\"") "    <testcase name=\"bootimage test\" "
                                                  "classname=\"k.elf\" time=\"0.999\">\n"
                                                  "      <failure message=\"triple fault&#10;at "
                                                  "&quot;f&quot;\" type=\"failure\">"
                                                  "rax \"0\"\n\trbx&gt;\n</failure>\n"
                                                  "    </testcase>\n    "
                                                  "<system-out></system-out>\n" END);
}

static void plan_without_tests_is_skipped(void **state)
{
    struct tap *tap = read_tap("1..0 # SKIP no HPET\n");
    struct junit_run run = {.name = "k.elf", .tap = tap};

    (void)state;
    assert_written(&run, SUITES("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\" "
                                "time=\"0.000\"") "    <testcase name=\"bootimage test\" "
                                                  "classname=\"k.elf\" time=\"0.000\">\n"
                                                  "      <skipped message=\"no HPET\"/>\n"
                                                  "    </testcase>\n    "
                                                  "<system-out></system-out>\n" END);
    tap_free(tap);
}

/* The run is a test case where the tests do not tell all. */
static void run_is_added_to_tests(void **state)
{
    static const struct {
        const char *tap;
        const char *failure;
        const char *report;
        const char *counts;
    } cases[] = {
        {"1..1\nok 1\n", NULL, NULL, " tests=\"1\" failures=\"0\""},
        {"1..1\nok 1\n", NULL, "report", " tests=\"1\" failures=\"0\""},
        {"1..1\nok 1\n", "triple fault", NULL, " tests=\"2\" failures=\"1\""},
        {"1..2\nok 1\n", "1 of 2 tests came", NULL, " tests=\"2\" failures=\"1\""},
        {"1..1\nnot ok 1\n", "not ok", NULL, " tests=\"1\" failures=\"1\""},
        {"1..2\nnot ok 1\n", "panic", "report", " tests=\"2\" failures=\"2\""},
        {"1..0\n", "triple fault", NULL, " tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tap *tap = read_tap(cases[i].tap);
        struct junit_run run = {
            .name = "k.elf", .tap = tap, .failure = cases[i].failure, .report = cases[i].report};
        char *text = write_run(&run);

        assert_non_null(strstr(text, cases[i].counts));
        free(text);
        tap_free(tap);
    }
}

/* Only the end of a long text, and no half character at its start. */
static void serial_is_bounded(void **state)
{
    static char serial[JUNIT_SERIAL_BYTES + 50];
    struct junit_run run = {.name = "k", .serial = serial, .serial_bytes = sizeof(serial)};

    (void)state;
    memset(serial, 'x', sizeof(serial));
    memcpy(serial + 48, "\xe2\x82\xac", 3);
    memcpy(serial + sizeof(serial) - 2, "\xe2\x82", 2);
    char *text = write_run(&run);
    char *shown = strstr(text, "<system-out>(51 bytes before these are left out)\nxxx");
    assert_non_null(shown);
    assert_null(strstr(text, "\xac"));
    assert_non_null(strstr(text, "x\xef\xbf\xbd\xef\xbf\xbd</system-out>"));
    assert_int_equal(strspn(strchr(shown, '\n') + 1, "x"), JUNIT_SERIAL_BYTES - 3);
    free(text);
}

static void full_disk_is_told(void **state)
{
    static char serial[JUNIT_SERIAL_BYTES];
    struct junit_run run = {.name = "k", .serial = serial, .serial_bytes = sizeof(serial)};
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    memset(serial, 'x', sizeof(serial));
    assert_false(junit_write(&run, full));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_of_a_guest),
        cmocka_unit_test(verdict_without_tests),
        cmocka_unit_test(plan_without_tests_is_skipped),
        cmocka_unit_test(run_is_added_to_tests),
        cmocka_unit_test(serial_is_bounded),
        cmocka_unit_test(full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
