/*
 * Where the loader prints under a BIOS: the screen by int 10h, COM1 and port 0xE9 directly.
 */
#include "../core/firmware.h"
#include "../pc/serial.h"
#include "bios.h"
#include "bios_call.h"

#define VIDEO_SERVICES 0x10
#define VIDEO_TELETYPE 0x0e00
#define VIDEO_GET_MODE 0x0f00
#define VIDEO_MODE_MASK 0x7f /* bit 7: the memory was not cleared */
#define VIDEO_GREY 0x0007    /* page 0; the colour counts in graphics modes */

/* Modes 2 and 3: text of 80 columns and 25 lines at 0xB8000 [RBIL "INT 10/AH=0Fh"]. */
bool console_shows_text(void)
{
    struct bios_registers registers = {.eax = VIDEO_GET_MODE};

    bios_call(VIDEO_SERVICES, &registers);
    uint32_t mode = registers.eax & VIDEO_MODE_MASK;
    return mode == 2 || mode == 3;
}

static void print_character(uint8_t c)
{
    struct bios_registers registers = {.eax = VIDEO_TELETYPE | c, .ebx = VIDEO_GREY};

    serial_print(c);
    bios_call(VIDEO_SERVICES, &registers);
}

void firmware_print(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            print_character('\r');
        print_character((uint8_t)*text);
    }
}

_Noreturn void firmware_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
