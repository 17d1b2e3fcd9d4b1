/*
 * A kernel with an entry of its own, whose first statement is a panic: no IDT is loaded, no screen
 * chosen, and COM1 not set up.
 */
#include "kernel.h"
#include "panic.h"

void _start(const struct bootinfo *info)
{
    panic("at once, with boot information at 0x%016lx", (unsigned long)info);
}
