/*
 * A 32-bit kernel as small as can be: it divides by 0, two calls deep; or, if there is a command
 * line, it writes the success code to isa-debug-exit. Entered as bootinfo.h says: without paging,
 * and the boot information as the argument.
 */
#include <bootimage/bootinfo.h>

#include <stdint.h>

#define FRAME __attribute__((noipa))
#define EXIT_PORT 0xf4
#define SUCCESS 0x10

static volatile int zero;

void _start(const struct bootinfo *info);

FRAME static int quotient(int dividend, int divisor)
{
    return dividend / divisor; /* CRASH: divide-32 */
}

FRAME static void share(int pages)
{
    zero = quotient(pages, zero);
}

void _start(const struct bootinfo *info)
{
    const char *command_line = (const char *)(uint32_t)info->command_line;

    if (command_line[0] != '\0')
        __asm__ volatile("outb %b0, %w1" : : "a"(SUCCESS), "Nd"(EXIT_PORT));
    share(42);
    for (;;)
        __asm__ volatile("cli; hlt");
}
