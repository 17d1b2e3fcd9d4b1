/*
 * Where the loader prints under UEFI: on the screen by the firmware's text output, on COM1 and port
 * 0xE9 directly. The loader only prints when something is wrong, so nothing is touched before.
 */
#include "../pc/serial.h"
#include "uefi.h"

#include <stdbool.h>

/* Characters that one call prints. */
#define CHUNK 64

static bool has_started;
static SIMPLE_TEXT_OUTPUT_INTERFACE *screen; /* NULL: none */

/* A text output that is a screen's alone: the console that the firmware offers first may print to
   COM1 as well, where the loader prints itself. */
static SIMPLE_TEXT_OUTPUT_INTERFACE *find_screen(void)
{
    EFI_GUID text = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
    EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_GUID path = EFI_DEVICE_PATH_PROTOCOL_GUID;
    SIMPLE_TEXT_OUTPUT_INTERFACE *found = NULL;
    EFI_HANDLE *handles;
    UINTN count = handles_with(&text, &handles);

    for (UINTN i = 0; i < count && !found; i++) {
        void *protocol;

        if (uefi.services->HandleProtocol(handles[i], &graphics, &protocol) == EFI_SUCCESS &&
            uefi.services->HandleProtocol(handles[i], &path, &protocol) == EFI_SUCCESS &&
            uefi.services->HandleProtocol(handles[i], &text, &protocol) == EFI_SUCCESS)
            found = protocol;
    }
    if (count > 0)
        uefi.services->FreePool(handles);
    return found ? found : uefi.system->ConOut;
}

static void print_screen(const char *text)
{
    CHAR16 chunk[CHUNK + 2];
    UINTN used = 0;

    for (; *text; text++) {
        if (*text == '\n')
            chunk[used++] = '\r';
        chunk[used++] = (CHAR16)*text;
        if (used < CHUNK && text[1])
            continue;
        chunk[used] = 0;
        screen->OutputString(screen, chunk);
        used = 0;
    }
}

void firmware_print(const char *text)
{
    if (!has_started) {
        has_started = true;
        serial_start();
        if (uefi.services)
            screen = find_screen();
    }
    for (const char *c = text; *c; c++) {
        if (*c == '\n')
            serial_print('\r');
        serial_print((uint8_t)*c);
    }
    if (screen)
        print_screen(text);
}

void console_leave(void)
{
    screen = NULL;
}

_Noreturn void firmware_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
