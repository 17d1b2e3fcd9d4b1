/*
 * BIOS services, called from the 64-bit core: the only way back to real mode.
 */
#ifndef BOOTLOADER_BIOS_BIOS_CALL_H
#define BOOTLOADER_BIOS_BIOS_CALL_H

#include <stdbool.h>
#include <stdint.h>

/* Registers before and after a call. Buffers for the BIOS lie below 1 MiB (bios.ld). */
struct bios_registers {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint16_t ds, es;
    uint16_t eflags; /* after the call; before it, not used */
    uint16_t reserved;
};

#define BIOS_CARRY 0x0001

/* Call interrupt `vector` with interrupts on. Takes about 24 us under emulation. */
void bios_call(uint8_t vector, struct bios_registers *registers);

static inline bool bios_failed(const struct bios_registers *registers)
{
    return registers->eflags & BIOS_CARRY;
}

/* AH after a call: the status of disk services. */
static inline uint8_t bios_status(const struct bios_registers *registers)
{
    return (uint8_t)(registers->eax >> 8);
}

#endif
