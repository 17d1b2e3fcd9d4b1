/*
 * The entry of a kernel that is written in C and asks for what the file ASKS says, by notes.
 */
#include <bootimage/bootinfo.h>

#include ASKS

void kernel_main(const struct bootinfo *info);
void _start(const struct bootinfo *info);

void _start(const struct bootinfo *info)
{
    kernel_main(info);
}
