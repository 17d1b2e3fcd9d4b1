/*
 * The interrupt hardware of a PC, made quiet for a kernel without an IDT.
 */
#ifndef BOOTLOADER_PC_INTERRUPTS_H
#define BOOTLOADER_PC_INTERRUPTS_H

/* No interrupt of a device arrives any more, none is in service, and NMI is masked. To be called
   with interrupts off. */
void interrupts_mask(void);

#endif
