/*
 * Many things can be true of a run at once; here stands which of them counts.
 *
 * QEMU's failure comes first, then the loader's, then what the guest did against its will, then
 * what it says of itself, then what was expected of it. session.c has collected what was seen.
 */
#include "run/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void
set(struct verdict *verdict, enum verdict_status status, const char *format, ...)
{
    va_list arguments;

    verdict->status = status;
    va_start(arguments, format);
    vsnprintf(verdict->text, sizeof(verdict->text), format, arguments);
    va_end(arguments);
}

/* Whether the guest ended with the code that it should. */
static bool is_good_code(const struct facts *facts, const struct options_expectations *expectations)
{
    unsigned int good =
        expectations->exit_code ? expectations->exit_code : expectations->success_code;

    return facts->has_exit_code && facts->exit_code == good;
}

static bool give_crash(struct verdict *verdict, const struct facts *facts)
{
    if (facts->qemu_failure)
        set(verdict, VERDICT_QEMU, "%s", facts->qemu_failure);
    else if (facts->loader_error)
        set(verdict, VERDICT_LOADER, "the loader stopped: %s", facts->loader_error);
    else if (facts->has_triple_fault)
        set(verdict, VERDICT_RESET, "triple fault");
    else if (facts->reset_is_unclear)
        set(verdict, VERDICT_RESET, "the kernel reset the machine, or had a triple fault");
    else if (facts->has_reset)
        set(verdict, VERDICT_RESET, "the kernel reset the machine");
    else
        return false;
    return true;
}

/* What the guest says of itself. The success code is no failure even where another is expected. */
static bool give_failure(struct verdict *verdict, const struct facts *facts,
                         const struct options_expectations *expectations)
{
    const bool is_success = facts->has_exit_code && facts->exit_code == expectations->success_code;

    if (facts->has_exit_code && !is_success && !is_good_code(facts, expectations))
        set(verdict, VERDICT_FAILED, "the kernel %swrote the code 0x%x",
            facts->has_panicked ? "panicked, and " : "", facts->exit_code);
    else if (facts->has_panicked && !is_good_code(facts, expectations))
        set(verdict, VERDICT_FAILED, "the kernel panicked");
    else if (facts->tap_failure)
        set(verdict, VERDICT_FAILED, "%s", facts->tap_failure);
    else
        return false;
    return true;
}

static bool give_unmet(struct verdict *verdict, const struct facts *facts,
                       const struct options_expectations *expectations)
{
    const char *end = facts->has_exit_code   ? ""
                      : facts->has_shut_down ? "; the kernel shut the machine down"
                      : facts->has_stopped   ? "; the kernel stopped for good"
                                             : "; the time is over";

    if (facts->unmet)
        set(verdict, VERDICT_EXPECTATION, "not seen: %s%s", facts->unmet, end);
    else if (expectations->exit_code && facts->has_exit_code && !is_good_code(facts, expectations))
        set(verdict, VERDICT_EXPECTATION, "the kernel wrote the code 0x%x, expected was 0x%x",
            facts->exit_code, expectations->exit_code);
    else if (expectations->exit_code && !facts->has_exit_code)
        set(verdict, VERDICT_EXPECTATION, "the kernel wrote no code, expected was 0x%x%s",
            expectations->exit_code, end);
    else
        return false;
    return true;
}

void verdict_give(struct verdict *verdict, const struct facts *facts,
                  const struct options_expectations *expectations)
{
    if (give_crash(verdict, facts) || give_failure(verdict, facts, expectations) ||
        give_unmet(verdict, facts, expectations))
        return;
    if (facts->has_exit_code)
        set(verdict, VERDICT_PASSED, "the kernel wrote the %s code 0x%x",
            expectations->exit_code ? "expected" : "success", facts->exit_code);
    else if (facts->has_tap)
        set(verdict, VERDICT_PASSED, "all tests are ok");
    else if (facts->expects)
        set(verdict, VERDICT_PASSED, "all that was expected was seen");
    else if (facts->has_shut_down)
        set(verdict, VERDICT_SHUT_DOWN, "the kernel shut the machine down without a verdict");
    else if (facts->has_stopped)
        set(verdict, VERDICT_TIMEOUT,
            "no verdict will come: all CPUs are halted with interrupts off");
    else
        set(verdict, VERDICT_TIMEOUT, "no verdict within %llu seconds",
            (unsigned long long)expectations->timeout_s);
}
