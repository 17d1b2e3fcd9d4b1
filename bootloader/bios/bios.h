/*
 * The BIOS front end: what its files share. The addresses are those of bios.ld.
 */
#ifndef BOOTLOADER_BIOS_BIOS_H
#define BOOTLOADER_BIOS_BIOS_H

#include <bootimage/image.h>

#include <stdbool.h>
#include <stdint.h>

/* bios.ld */
extern uint8_t bios_bounce[], bios_bounce_end[];
extern uint8_t bios_buffer[], bios_buffer_end[];
extern uint8_t bios_map_storage[];
extern const uint16_t bios_ebda_segment; /* in the BIOS data area */

/* What stages 1 and 2 leave; image_header is sector 1 as stage 1 read it. */
extern struct image_header image_header;
extern uint64_t tsc_stage1, tsc_stage2;
extern uint8_t boot_drive;
extern uint32_t low_memory_end;

/* The 64-bit start of the loader: the whole boot. */
_Noreturn void bios_main(void);

/* Is the screen in VGA text mode, with 80 columns? */
bool console_shows_text(void);

/* From here on an exception is error E16, not a reset. */
void exceptions_start(void);

/* Ask the BIOS how it reads the boot drive. Fails when the disk is shorter than the image. */
void disk_start(uint8_t drive, uint64_t image_sectors);

#endif
