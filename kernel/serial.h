/*
 * COM1, the first serial port: 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#ifndef KERNEL_SERIAL_H
#define KERNEL_SERIAL_H

/* Sends one byte, '\n' as "\r\n". The first call sets the port up. Where there is no port, or none
   that sends, this does nothing. */
void serial_put(char character);

/* Waits until the last byte is out, or some hundred bytes' time. */
void serial_flush(void);

#endif
