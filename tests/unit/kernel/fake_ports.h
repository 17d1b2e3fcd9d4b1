/*
 * Ports for drivers of the kernel that run here as ordinary programs: in place of kernel/io.h, a
 * test answers itself. To be included before all else (-include).
 */
#ifndef KERNEL_IO_H
#define KERNEL_IO_H

#include <stdint.h>

void outb(uint16_t port, uint8_t value);
uint8_t inb(uint16_t port);

#endif
