/*
 * What counts where two things are true of a run: each of the pairs, and some of three.
 */
#include "support.h"

#include <string.h>

#include "run/verdict.h"

/* What can be true of a run, the weightiest first, and what it comes to when it is all there is. */
enum fact {
    QEMU,
    LOADER,
    TRIPLE_FAULT,
    RESET,
    WRONG_CODE,
    PANIC,
    NOT_OK,
    UNMET,
    NO_CODE, /* though one is expected */
    GOOD_CODE,
    TAP,
    MET,
    SHUT_DOWN,
    STOPPED,
    TIMEOUT,
    FACT_COUNT,
};

static const struct {
    enum verdict_status status;
    const char *text;
} outcomes[FACT_COUNT] = {
    [QEMU] = {VERDICT_QEMU, "qemu died"},
    [LOADER] = {VERDICT_LOADER, "the loader stopped: E12"},
    [TRIPLE_FAULT] = {VERDICT_RESET, "triple fault"},
    [RESET] = {VERDICT_RESET, "the kernel reset the machine"},
    [WRONG_CODE] = {VERDICT_FAILED, "wrote the code 0x21"},
    [PANIC] = {VERDICT_FAILED, "the kernel panicked"},
    [NOT_OK] = {VERDICT_FAILED, "test 3 is not ok"},
    [UNMET] = {VERDICT_EXPECTATION, "not seen: --expect-serial=done"},
    [NO_CODE] = {VERDICT_EXPECTATION, "the kernel wrote no code, expected was 0x33"},
    [GOOD_CODE] = {VERDICT_PASSED, "the kernel wrote the success code 0x10"},
    [TAP] = {VERDICT_PASSED, "all tests are ok"},
    [MET] = {VERDICT_PASSED, "all that was expected was seen"},
    [SHUT_DOWN] = {VERDICT_SHUT_DOWN, "the kernel shut the machine down without a verdict"},
    [STOPPED] = {VERDICT_TIMEOUT, "no verdict will come"},
    [TIMEOUT] = {VERDICT_TIMEOUT, "no verdict within 7 seconds"},
};

struct run {
    struct facts facts;
    struct options_expectations expectations;
};

static void add_fact(struct run *run, enum fact fact)
{
    struct facts *facts = &run->facts;

    facts->qemu_failure = fact == QEMU ? "qemu died" : facts->qemu_failure;
    facts->loader_error = fact == LOADER ? "E12" : facts->loader_error;
    facts->has_triple_fault |= fact == TRIPLE_FAULT;
    facts->has_reset |= fact == TRIPLE_FAULT || fact == RESET;
    facts->has_panicked |= fact == PANIC;
    facts->has_exit_code |= fact == WRONG_CODE || fact == GOOD_CODE;
    if (fact == WRONG_CODE || fact == GOOD_CODE)
        facts->exit_code = fact == WRONG_CODE ? 0x21 : 0x10;
    facts->tap_failure = fact == NOT_OK ? "test 3 is not ok" : facts->tap_failure;
    facts->has_tap |= fact == NOT_OK || fact == TAP;
    facts->expects |= fact == UNMET || fact == MET;
    facts->unmet = fact == UNMET ? "--expect-serial=done" : facts->unmet;
    if (fact == NO_CODE)
        run->expectations.exit_code = 0x33;
    facts->has_shut_down |= fact == SHUT_DOWN;
    facts->has_stopped |= fact == STOPPED;
    facts->has_timed_out |= fact == TIMEOUT;
}

static struct run new_run(void)
{
    return (struct run){.expectations = {.timeout_s = 7, .success_code = 0x10}};
}

static struct verdict verdict_of(const struct run *run)
{
    struct verdict verdict;

    verdict_give(&verdict, &run->facts, &run->expectations);
    assert_null(strchr(verdict.text, '\n'));
    return verdict;
}

static void assert_verdict(const struct run *run, enum fact fact)
{
    const struct verdict verdict = verdict_of(run);

    if (verdict.status != outcomes[fact].status || !strstr(verdict.text, outcomes[fact].text))
        fail_msg("status %d: %s, instead of status %d: %s", (int)verdict.status, verdict.text,
                 (int)outcomes[fact].status, outcomes[fact].text);
}

static void each_fact_has_its_verdict(void **state)
{
    (void)state;
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        struct run run = new_run();

        add_fact(&run, fact);
        assert_verdict(&run, fact);
    }
}

/* There is one exit code at most. */
static bool exclude_each_other(enum fact first, enum fact second)
{
    const bool is_code = first == WRONG_CODE || first == GOOD_CODE;

    return (is_code && (second == NO_CODE || second == GOOD_CODE)) ||
           (first == NO_CODE && second == GOOD_CODE);
}

/* A kernel that says that all is well at its end did not panic. */
static bool is_taken_back(enum fact first, enum fact second)
{
    return first == PANIC && second == GOOD_CODE;
}

static void weightier_one_of_two_counts(void **state)
{
    (void)state;
    for (enum fact first = 0; first < FACT_COUNT; first++) {
        for (enum fact second = first + 1; second < FACT_COUNT; second++) {
            struct run run = new_run();

            if (exclude_each_other(first, second))
                continue;
            add_fact(&run, second);
            add_fact(&run, first);
            assert_verdict(&run, is_taken_back(first, second) ? second : first);
        }
    }
}

static void weightiest_of_all_that_follow_counts(void **state)
{
    (void)state;
    for (enum fact first = 0; first < FACT_COUNT; first++) {
        struct run run = new_run();

        for (enum fact fact = FACT_COUNT; fact-- > first;) {
            if (!exclude_each_other(first, fact) && fact != GOOD_CODE && fact != WRONG_CODE)
                add_fact(&run, fact);
        }
        add_fact(&run, first);
        assert_verdict(&run, first);
    }
}

static struct verdict verdict_of_code(unsigned int code, uint8_t success, uint8_t expected)
{
    struct run run = new_run();

    run.facts.has_exit_code = true;
    run.facts.exit_code = code;
    run.expectations.success_code = success;
    run.expectations.exit_code = expected;
    return verdict_of(&run);
}

static void codes_are_compared(void **state)
{
    (void)state;
    assert_int_equal(verdict_of_code(0x7f, 0x7f, 0).status, VERDICT_PASSED);
    assert_int_equal(verdict_of_code(0, 0x10, 0).status, VERDICT_FAILED);
    assert_int_equal(verdict_of_code(0x33, 0x10, 0x33).status, VERDICT_PASSED);
    assert_string_equal(verdict_of_code(0x33, 0x10, 0x33).text,
                        "the kernel wrote the expected code 0x33");
    assert_int_equal(verdict_of_code(0x34, 0x10, 0x33).status, VERDICT_FAILED);
    /* It is no failure, but it is not what was expected. */
    assert_int_equal(verdict_of_code(0x10, 0x10, 0x33).status, VERDICT_EXPECTATION);
    assert_string_equal(verdict_of_code(0x10, 0x10, 0x33).text,
                        "the kernel wrote the code 0x10, expected was 0x33");
}

/* That a panic has the code that is expected of it makes it a success. */
static void panic_may_be_expected(void **state)
{
    struct run run = new_run();

    (void)state;
    add_fact(&run, PANIC);
    add_fact(&run, WRONG_CODE);
    assert_string_equal(verdict_of(&run).text, "the kernel panicked, and wrote the code 0x21");
    run.expectations.exit_code = 0x21;
    assert_int_equal(verdict_of(&run).status, VERDICT_PASSED);
}

static void unclear_reset_is_said_to_be_so(void **state)
{
    struct run run = new_run();

    (void)state;
    add_fact(&run, RESET);
    run.facts.reset_is_unclear = true;
    assert_int_equal(verdict_of(&run).status, VERDICT_RESET);
    assert_string_equal(verdict_of(&run).text,
                        "the kernel reset the machine, or had a triple fault");
    add_fact(&run, TRIPLE_FAULT);
    assert_string_equal(verdict_of(&run).text, "triple fault");
}

/* What was not seen, and why nothing more will be. */
static void unmet_says_how_it_ended(void **state)
{
    static const struct {
        enum fact fact;
        const char *text;
    } cases[] = {
        {GOOD_CODE, "not seen: --expect-serial=done"},
        {SHUT_DOWN, "not seen: --expect-serial=done; the kernel shut the machine down"},
        {STOPPED, "not seen: --expect-serial=done; the kernel stopped for good"},
        {TIMEOUT, "not seen: --expect-serial=done; the time is over"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run = new_run();

        add_fact(&run, UNMET);
        add_fact(&run, cases[i].fact);
        assert_string_equal(verdict_of(&run).text, cases[i].text);
    }
}

static void long_text_is_cut(void **state)
{
    static char line[2 * VERDICT_TEXT_BYTES];
    struct run run = new_run();

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    run.facts.loader_error = line;
    const struct verdict verdict = verdict_of(&run);
    assert_int_equal(verdict.status, VERDICT_LOADER);
    assert_int_equal(strlen(verdict.text), VERDICT_TEXT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fact_has_its_verdict),
        cmocka_unit_test(weightier_one_of_two_counts),
        cmocka_unit_test(weightiest_of_all_that_follow_counts),
        cmocka_unit_test(codes_are_compared),
        cmocka_unit_test(panic_may_be_expected),
        cmocka_unit_test(unclear_reset_is_said_to_be_so),
        cmocka_unit_test(unmet_says_how_it_ended),
        cmocka_unit_test(long_text_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
