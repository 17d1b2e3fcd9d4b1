/*
 * A kernel that is its own test: kernel_main() of kernel-tests. The files beside this one
 * register what it runs.
 */
#include "kernel.h"
#include "test.h"

void kernel_main(const struct bootinfo *info)
{
    test_run_all(info);
}
