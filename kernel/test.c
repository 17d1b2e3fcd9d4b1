/*
 * Runs the kernel's tests. It assumes a console and exceptions that are reported (entry.c). Where a
 * report would end the machine, test_escape() ends the test that it came from; what the test
 * changed in the machine stays changed.
 */
#include "test.h"

#include "console.h"
#include "verdict.h"

#include <stddef.h>
#include <stdint.h>

/* All tests; kernel.ld. */
extern const struct test test_table[];
extern const struct test test_table_end[];

/* Of the test that runs. */
static bool test_failed;

/* Calls `run`; false: it did not return, as test_escape() was called. In test_call.asm. */
bool test_call(void (*run)(const struct bootinfo *info), const struct bootinfo *info);
/* From anywhere within test_call(), on whatever stack. */
_Noreturn void test_escape(void);

void test_expect(bool holds, const char *file, int line, const char *condition)
{
    if (holds)
        return;
    test_failed = true;
    console_begin_line();
    console_print("%s:%d: expected %s\n", file, line, condition);
}

static bool test_passes(const struct test *test, const struct bootinfo *info)
{
    bool returned;

    test_failed = false;
    console_set_prefix("# ");
    panic_set_end(test_escape);
    returned = test_call(test->run, info);
    panic_set_end(NULL);
    console_set_color(SCREEN_LIGHT_GREY);
    console_begin_line();
    if (returned && test->should_panic)
        console_print("expected a panic\n");
    console_set_prefix("");
    return !test_failed && returned != test->should_panic;
}

void test_run_all(const struct bootinfo *info)
{
    const size_t count = ((uintptr_t)test_table_end - (uintptr_t)test_table) / sizeof(struct test);
    size_t passed = 0;

    /* The firmware may have left something on the line. */
    console_print("\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        bool passes = test_passes(&test_table[i], info);

        console_print("%s %zu - %s\n", passes ? "ok" : "not ok", i + 1, test_table[i].name);
        passed += passes;
    }
    verdict_end(count > 0 && passed == count ? VERDICT_PASSED : VERDICT_FAILED);
}
