/*
 * COM1, half of the console. It may assume nothing: the port sets itself up at the first byte, so
 * that a panic before any initialisation is still heard. Many machines have no such port, and then
 * its registers read as 0xff: no wait here is without a bound.
 *
 * Registers are those of the 16550 [PC16550D "Universal Asynchronous Receiver/Transmitter"].
 */
#include "serial.h"

#include "io.h"

#include <stdbool.h>
#include <stdint.h>

#define COM1 0x3F8

enum serial_register {
    SERIAL_DATA = COM1,             /* bits 0-7 of the divisor while DLAB is set */
    SERIAL_INTERRUPTS = COM1 + 1,   /* bits 8-15 of the divisor while DLAB is set */
    SERIAL_FIFO = COM1 + 2,         /* when written */
    SERIAL_LINE_CONTROL = COM1 + 3, /* frame */
    SERIAL_MODEM_CONTROL = COM1 + 4,
    SERIAL_LINE_STATUS = COM1 + 5,
    SERIAL_SCRATCH = COM1 + 7,
};

#define DIVISOR_115200 1
#define FIFO_ENABLE_AND_CLEAR 0x07
#define FRAME_8N1 0x03
#define FRAME_DLAB 0x80
#define MODEM_DTR_RTS 0x03
#define MODEM_OUT_AND_LOOPBACK 0x1E
#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
#define STATUS_ALL_SENT 0x40
#define STATUS_ABSENT 0xFF

/* A byte takes 87 us to send and a status read about 1 us: this is some hundred bytes' time. */
#define SERIAL_WAIT_READS 10000

static enum { SERIAL_UNKNOWN, SERIAL_PRESENT, SERIAL_ABSENT } serial_state;

/* Whether one of the status bits in `bits` comes up within the bound. */
static bool serial_wait(uint8_t bits)
{
    for (int i = 0; i < SERIAL_WAIT_READS; i++) {
        if (inb(SERIAL_LINE_STATUS) & bits)
            return true;
    }
    return false;
}

static void serial_set_up(void)
{
    outb(SERIAL_INTERRUPTS, 0);
    outb(SERIAL_LINE_CONTROL, FRAME_DLAB);
    outb(SERIAL_DATA, DIVISOR_115200 & 0xFF);
    outb(SERIAL_INTERRUPTS, DIVISOR_115200 >> 8);
    outb(SERIAL_LINE_CONTROL, FRAME_8N1);
    outb(SERIAL_FIFO, FIFO_ENABLE_AND_CLEAR);
}

/* Whether a byte that the port sends to itself comes back. */
static bool serial_loops_back(void)
{
    const uint8_t probe = 0xA5;

    outb(SERIAL_MODEM_CONTROL, MODEM_OUT_AND_LOOPBACK);
    outb(SERIAL_DATA, probe);
    return serial_wait(STATUS_RECEIVED) && inb(SERIAL_DATA) == probe;
}

/* Looks whether there is a port before it is changed, then sets it up and tries it. */
static bool serial_probe(void)
{
    const uint8_t pattern = 0x5A;

    if (inb(SERIAL_LINE_STATUS) == STATUS_ABSENT)
        return false;
    outb(SERIAL_SCRATCH, pattern);
    if (inb(SERIAL_SCRATCH) != pattern)
        return false;

    /* What the firmware or the loader still sends goes out before the frame changes. */
    if (!serial_wait(STATUS_CAN_SEND))
        return false;
    serial_set_up();
    if (!serial_loops_back())
        return false;
    outb(SERIAL_MODEM_CONTROL, MODEM_DTR_RTS);
    return true;
}

static void serial_send(char character)
{
    if (serial_state == SERIAL_ABSENT)
        return;
    if (!serial_wait(STATUS_CAN_SEND)) {
        /* A port that is stuck once would cost the full wait for each byte. */
        serial_state = SERIAL_ABSENT;
        return;
    }
    outb(SERIAL_DATA, (uint8_t)character);
}

void serial_put(char character)
{
    if (serial_state == SERIAL_UNKNOWN)
        serial_state = serial_probe() ? SERIAL_PRESENT : SERIAL_ABSENT;
    if (character == '\n')
        serial_send('\r');
    serial_send(character);
}

void serial_flush(void)
{
    if (serial_state == SERIAL_PRESENT)
        serial_wait(STATUS_ALL_SENT);
}
