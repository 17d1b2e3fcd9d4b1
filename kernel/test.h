/*
 * Tests that run inside the kernel. A kernel of tests is linked of files with
 *
 *   KERNEL_TEST(name) { ... KERNEL_EXPECT(condition); ... }
 *
 * and a kernel_main() that calls test_run_all(), which finds the tests by a section that kernel.ld
 * keeps.
 */
#ifndef KERNEL_TEST_H
#define KERNEL_TEST_H

#include "panic.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>

/* A test, as the macros below lay it down. */
struct test {
    const char *name;
    void (*run)(const struct bootinfo *info);
    bool should_panic;
};

/* A test passes if it returns and all that it expects holds. What is in braces behind this finds
   the boot information in `info`. */
#define KERNEL_TEST(name) TEST_REGISTER(name, false)

/* Passes if it does not return, because of a panic or an exception. */
#define KERNEL_TEST_SHOULD_PANIC(name) TEST_REGISTER(name, true)

/* Where the condition does not hold the test has failed; it goes on all the same. */
#define KERNEL_EXPECT(condition) test_expect((condition), PANIC_FILE, __LINE__, #condition)

/* The name of the section is that of the test: the linker sorts by it. */
#define TEST_REGISTER(name, should_panic)                                                          \
    static void test_##name(const struct bootinfo *info);                                          \
    __attribute__((section(".kernel_tests." #name), used,                                          \
                   aligned(8))) static const struct test kernel_test_##name = {#name, test_##name, \
                                                                               should_panic};      \
    static void test_##name(__attribute__((unused)) const struct bootinfo *info)

void test_expect(bool holds, const char *file, int line, const char *condition);

/* Runs all tests, in the order of their names, prints TAP on the console and ends the machine with
   the verdict. A test that fails by a panic or an exception ends, and the next one runs; all that a
   test prints, and the report of its panic, comes out as comments of TAP. [TAP 14 "Comments"] */
_Noreturn void test_run_all(const struct bootinfo *info);

#endif
