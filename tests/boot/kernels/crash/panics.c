/*
 * The template kernel, ended by its own panic or by its report of an exception, as the command line
 * says: `panic` or `write-unmapped`. Marked lines as in crash.h.
 */
#include "kernel.h"
#include "panic.h"

#include <stdint.h>

#define FRAME __attribute__((noinline)) /* Clang has no noipa */
#define UNMAPPED_VADDR 0xffffc900deadb000

FRAME static void give_up(int pages)
{
    panic("no memory for %d pages", pages); /* CRASH: panic */
}

FRAME static void map_page(uint64_t vaddr)
{
    *(volatile uint64_t *)(uintptr_t)vaddr = 1; /* CRASH: template-write-unmapped */
}

void kernel_main(const struct bootinfo *info)
{
    const char *command_line = (const char *)(uintptr_t)info->command_line;

    if (command_line[0] == 'p')
        give_up(42);
    map_page(UNMAPPED_VADDR);
}
