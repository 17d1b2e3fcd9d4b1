/*
 * COM1 and the debug console of emulators: where every front end prints, besides its screen. Works
 * before the firmware is left and after.
 */
#ifndef BOOTLOADER_PC_SERIAL_H
#define BOOTLOADER_PC_SERIAL_H

#include <stdint.h>

/* Set up COM1, if there is one: 115200 baud, 8N1. */
void serial_start(void);

/* To port 0xE9, and to COM1 if serial_start() found it. Never waits for long. */
void serial_print(uint8_t c);

#endif
