/*
 * Verbs that talk to the machine: lines on COM1 and on the text screen, exit codes, the ways to
 * hang, to switch off and to reset. COM1 is used as it is found: QEMU's needs no set-up.
 */
#include "crash.h"

#define COM1 0x3f8
#define COM1_FIFO (COM1 + 2)
#define COM1_STATUS (COM1 + 5)
#define COM1_CAN_SEND 0x20
#define COM1_FIFO_BYTES 16
#define EXIT_PORT 0xf4   /* isa-debug-exit */
#define POWER_PORT 0x604 /* PM1a_CNT of QEMU's pc and q35 */
#define POWER_OFF 0x2000 /* SLP_EN, and 0 as SLP_TYP */
#define KEYBOARD_PORT 0x64
#define KEYBOARD_RESET 0xfe
#define CHIPSET_RESET_PORT 0xcf9
#define CHIPSET_RESET 0x6
#define SCREEN ((volatile uint16_t *)0xb8000)
#define SCREEN_COLUMNS 80
#define SCREEN_ROW 20
#define ESCAPE '\x1b'

/* Numbers of 16 bytes each, so that a line is as long as the FIFO and a lost one is missed. */
#define FLOOD_DIGITS 14

static void write_port_bytes(uint16_t port, const char *bytes, size_t count)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(port) : "memory");
}

static void send(char character)
{
    while (!(read_port(COM1_STATUS) & COM1_CAN_SEND))
        continue;
    write_port(COM1, (uint8_t)character);
}

/* The text, with '|' for the end of a line, '~' for the escape character and '^' for a ';'. */
static void say(const char *text)
{
    for (; *text != ';' && *text != '\0'; text++) {
        if (*text == '|')
            send('\r');
        send((char)(*text == '|' ? '\n' : *text == '~' ? ESCAPE : *text == '^' ? ';' : *text));
    }
}

static void screen(const char *text)
{
    for (size_t i = 0; text[i] != ';' && text[i] != '\0'; i++)
        SCREEN[SCREEN_ROW * SCREEN_COLUMNS + i] = (uint16_t)(0x0a00 | (uint8_t)text[i]);
}

/* Decimal, or hexadecimal after 0x. */
static uint64_t number(const char *text)
{
    const uint64_t base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
    uint64_t value = 0;

    for (text += base == 16 ? 2 : 0; *text >= '0'; text++) {
        const int digit = *text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10;

        if (digit < 0 || digit >= (int)base)
            break;
        value = value * base + (uint64_t)digit;
    }
    return value;
}

/* That many lines, each its number from 0, of 14 digits and "\r\n". */
static void flood(const char *argument)
{
    const uint64_t lines = number(argument);
    char line[COM1_FIFO_BYTES];

    write_port(COM1_FIFO, 1);
    for (uint64_t i = 0; i < lines; i++) {
        uint64_t rest = i;

        for (int at = FLOOD_DIGITS - 1; at >= 0; at--, rest /= 10)
            line[at] = (char)('0' + rest % 10);
        line[FLOOD_DIGITS] = '\r';
        line[FLOOD_DIGITS + 1] = '\n';
        while (!(read_port(COM1_STATUS) & COM1_CAN_SEND))
            continue;
        write_port_bytes(COM1, line, COM1_FIFO_BYTES);
    }
}

FRAME static void exit_with(const char *argument)
{
    write_port(EXIT_PORT, (uint8_t)number(argument)); /* CRASH: exit */
}

FRAME static void hang_halted(const char *argument)
{
    (void)argument;
    __asm__ volatile("0: cli; hlt; jmp 0b"); /* CRASH: hang-halted */
}

FRAME static void hang_busy(const char *argument)
{
    (void)argument;
    __asm__ volatile("0: pause; jmp 0b"); /* CRASH: hang-busy */
}

FRAME static void shutdown(const char *argument)
{
    (void)argument;
    write_port_16(POWER_PORT, POWER_OFF); /* CRASH: shutdown */
    for (;;)
        continue;
}

FRAME static void reset_keyboard(const char *argument)
{
    (void)argument;
    write_port(KEYBOARD_PORT, KEYBOARD_RESET); /* CRASH: reset-keyboard */
    for (;;)
        continue;
}

FRAME static void reset_chipset(const char *argument)
{
    (void)argument;
    write_port(CHIPSET_RESET_PORT, CHIPSET_RESET); /* CRASH: reset-chipset */
    for (;;)
        continue;
}

const struct verb machine_verbs[] = {
    {"say", say},
    {"screen", screen},
    {"flood", flood},
    {"exit", exit_with},
    {"hang-halted", hang_halted},
    {"hang-busy", hang_busy},
    {"shutdown", shutdown},
    {"reset-keyboard", reset_keyboard},
    {"reset-chipset", reset_chipset},
    {NULL, NULL},
};
