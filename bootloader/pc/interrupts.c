/*
 * Both 8259 PICs and the NMI gate. Machines without them ignore these ports.
 */
#include "../core/firmware.h"
#include "io.h"

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK 0xa1
#define PIC_ALL 0xff
#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_END_OF_INTERRUPT 0x20
#define PIC_LINES 8
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_NMI_MASK 0x80
#define CMOS_STATUS_D 0x0d

void firmware_mask_interrupts(void)
{
    io_out8(PIC_SLAVE_MASK, PIC_ALL);
    io_out8(PIC_MASTER_MASK, PIC_ALL);
    /* What a BIOS left in service would hold back the lines below it for good. */
    for (int i = 0; i < PIC_LINES; i++) {
        io_out8(PIC_SLAVE, PIC_END_OF_INTERRUPT);
        io_out8(PIC_MASTER, PIC_END_OF_INTERRUPT);
    }
    /* A kernel without an IDT cannot take an NMI. Each index is followed by an access to the data.
     */
    io_out8(CMOS_INDEX, CMOS_NMI_MASK | CMOS_STATUS_D);
    io_in8(CMOS_DATA);
}
