/*
 * The kernel of a project that has bootimage as its subproject.
 *
 * Entered by the loader as bootimage/bootinfo.h says. Calls the runtime, prints what it was given
 * on QEMU's debug console for test_subproject.py, and stops.
 */
#include <bootimage/bootinfo.h>

#include <stddef.h>

#define DEBUG_CONSOLE_PORT 0xE9

void *memcpy(void *to, const void *from, size_t bytes);
void _start(const struct bootinfo *info);

static void print(const char *text)
{
    for (; *text; text++)
        __asm__ volatile("outb %b0, %w1" : : "a"(*text), "Nd"(DEBUG_CONSOLE_PORT));
}

void _start(const struct bootinfo *info)
{
    char name[] = "?????????";

    if (info->magic == BOOTINFO_MAGIC) {
        memcpy(name, (const char *)info->loader_name, sizeof(name));
        print("consumer: booted by ");
        print(name);
        print(" ");
        print((const char *)info->command_line);
        print("\n");
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}
