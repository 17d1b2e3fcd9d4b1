/*
 * COM1 and port 0xE9, written to directly: no firmware is asked.
 */
#include "serial.h"

#include "io.h"

#include <stdbool.h>

#define DEBUG_CONSOLE 0xe9

/* The 16550 at COM1 [PC16550D "Register Descriptions"]. */
#define COM1 0x3f8
#define COM1_DIVISOR_LOW (COM1 + 0)
#define COM1_DIVISOR_HIGH (COM1 + 1)
#define COM1_INTERRUPTS (COM1 + 1)
#define COM1_FIFO (COM1 + 2)
#define COM1_LINE (COM1 + 3)
#define COM1_MODEM (COM1 + 4)
#define COM1_LINE_STATUS (COM1 + 5)
#define COM1_SCRATCH (COM1 + 7)
#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80 /* ports 0 and 1 are the divisor */
#define FIFO_ON_EMPTY 0x07
#define MODEM_DTR_RTS 0x03 /* and no loop-back */
#define STATUS_CAN_SEND 0x20
/* At 115200 baud a character takes 87 us, a port access about 1 us. */
#define SEND_POLLS 10000

static bool has_com1;

void serial_start(void)
{
    const uint8_t probe = 0x5a;

    io_out8(COM1_SCRATCH, probe);
    has_com1 = io_in8(COM1_SCRATCH) == probe && io_in8(COM1_LINE_STATUS) != 0xff;
    if (!has_com1)
        return;
    io_out8(COM1_INTERRUPTS, 0);
    io_out8(COM1_LINE, LINE_DIVISOR | LINE_8N1);
    io_out8(COM1_DIVISOR_LOW, 1);
    io_out8(COM1_DIVISOR_HIGH, 0);
    io_out8(COM1_LINE, LINE_8N1);
    io_out8(COM1_FIFO, FIFO_ON_EMPTY);
    io_out8(COM1_MODEM, MODEM_DTR_RTS);
}

static void send(uint8_t c)
{
    for (int i = 0; i < SEND_POLLS; i++) {
        if (io_in8(COM1_LINE_STATUS) & STATUS_CAN_SEND)
            break;
    }
    io_out8(COM1, c);
}

void serial_print(uint8_t c)
{
    io_out8(DEBUG_CONSOLE, c);
    if (has_com1)
        send(c);
}
