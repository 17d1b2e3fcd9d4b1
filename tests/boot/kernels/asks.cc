/*
 * The entry of a kernel that is written in C++ and asks for what the file ASKS says, by notes.
 */
#include <bootimage/bootinfo.h>

#include ASKS

extern "C" {
void kernel_main(const bootinfo *info);
void _start(const bootinfo *info);
}

void _start(const bootinfo *info)
{
    kernel_main(info);
}
