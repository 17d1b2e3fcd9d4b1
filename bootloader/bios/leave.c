/*
 * The end of the BIOS: after this no interrupt of a device arrives.
 */
#include "../core/firmware.h"
#include "io.h"

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK 0xa1
#define PIC_ALL 0xff

void firmware_leave(void)
{
    io_out8(PIC_SLAVE_MASK, PIC_ALL);
    io_out8(PIC_MASTER_MASK, PIC_ALL);
}
