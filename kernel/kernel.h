/*
 * The two functions that a run of the kernel consists of. A kernel for a test brings its own
 * kernel_main() and has the rest from the library (kernel_dep in meson.build).
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <bootimage/bootinfo.h>

/* Where the loader jumps to. */
_Noreturn void _start(const struct bootinfo *info);

/* What this kernel does, on a console and with exceptions reported. When it returns, the machine
   stops. */
void kernel_main(const struct bootinfo *info);

#endif
