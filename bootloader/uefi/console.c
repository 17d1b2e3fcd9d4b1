/*
 * Where the loader prints under UEFI: on the screen by the firmware's text output, on COM1 and port
 * 0xE9 directly. The loader only prints when something is wrong, so nothing is touched before.
 */
#include "../pc/serial.h"
#include "uefi.h"

#include <stdbool.h>

#define LINE_CHARACTERS 255

static bool has_started;
static SIMPLE_TEXT_OUTPUT_INTERFACE *screen; /* NULL: none */
/* A line goes to the screen as a whole, which may be COM1 as well: there it is then twice. */
static struct {
    CHAR16 text[LINE_CHARACTERS + 1];
    unsigned int used;
} line;

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

/* To the screen, of which the line may be a part. */
static void print_screen(void)
{
    line.text[line.used] = 0;
    if (screen)
        screen->OutputString(screen, line.text);
    line.used = 0;
}

static void put(char c)
{
    serial_print((uint8_t)c);
    line.text[line.used++] = (CHAR16)c;
    if (line.used == LINE_CHARACTERS)
        print_screen();
}

static void start(void)
{
    if (has_started)
        return;
    has_started = true;
    serial_start();
    if (uefi.services)
        screen = find_screen();
}

void firmware_print(const char *text)
{
    start();
    for (; *text; text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
        if (*text == '\n')
            print_screen();
    }
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
