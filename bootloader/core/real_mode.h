/*
 * The code that takes the CPU back to real mode, into a kernel that wants the BIOS.
 */
#ifndef BOOTLOADER_CORE_REAL_MODE_H
#define BOOTLOADER_CORE_REAL_MODE_H

#include <stdint.h>

/* Put the code to `place`, from where it will be moved to its address below 1 MiB, a multiple
   of 16. It enters the kernel 0x20 paragraphs behind `segment`, with that in the other segment
   registers and SP at `stack`. */
void real_mode_copy(uint8_t *place, uint16_t segment, uint16_t stack);

#endif
