/*
 * Programs that are compiled for the bare machine, linked with the runtime only, and run where the
 * build runs: how they begin and end. On Linux they need no more of the system than one call.
 */
#ifndef TESTS_UNIT_RUNTIME_LINUX_START_H
#define TESTS_UNIT_RUNTIME_LINUX_START_H

/* The number of the first check that failed, or 0. */
static int run_checks(void);

_Noreturn void _start(void);

__attribute__((force_align_arg_pointer)) _Noreturn void _start(void)
{
    const long exit_group = 231;

    __asm__ volatile("syscall" : : "a"(exit_group), "D"((long)run_checks()));
    __builtin_unreachable();
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        number++;                                                                                  \
        if (!(condition))                                                                          \
            return number;                                                                         \
    } while (0)

#endif
