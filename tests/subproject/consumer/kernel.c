/*
 * The kernel of a project that has bootimage as its subproject.
 *
 * Entered by the loader as bootimage/bootinfo.h says. Calls the runtime, prints what it was given
 * on QEMU's debug console for test_subproject.py, and as a test's result (TAP) on COM1 for
 * `meson test`, and stops.
 */
#include <bootimage/bootinfo.h>

#include <stddef.h>

#define DEBUG_CONSOLE_PORT 0xE9
#define COM1_PORT 0x3F8
#define COM1_STATUS_PORT 0x3FD
#define COM1_CAN_SEND 0x20

void *memcpy(void *to, const void *from, size_t bytes);
void _start(const struct bootinfo *info);

static void print(const char *text)
{
    for (; *text; text++)
        __asm__ volatile("outb %b0, %w1" : : "a"(*text), "Nd"(DEBUG_CONSOLE_PORT));
}

static uint8_t serial_status(void)
{
    uint8_t status = 0;

    __asm__ volatile("inb %w1, %b0" : "=a"(status) : "d"((uint16_t)COM1_STATUS_PORT));
    return status;
}

static void print_serial(const char *text)
{
    for (; *text; text++) {
        while (!(serial_status() & COM1_CAN_SEND))
            continue;
        __asm__ volatile("outb %b0, %w1" : : "a"(*text), "d"((uint16_t)COM1_PORT));
    }
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
        print_serial("1..2\nok 1 - boot information\n");
        print_serial(name[0] == 'b' ? "ok 2 - memcpy\n" : "not ok 2 - memcpy\n");
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}
