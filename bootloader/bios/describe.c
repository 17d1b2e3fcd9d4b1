/*
 * What the core asks of a BIOS machine besides disk, memory, clock, tables and video: a page for
 * code that other CPUs start with, and APM for those who want it [RBIL "int 15h AX=5300h"].
 */
#include "../core/firmware.h"
#include "bios.h"
#include "bios_call.h"

#define SYSTEM_SERVICES 0x15
#define APM_CHECK 0x5300
#define APM_CONNECT_32 0x5303
#define APM_DISCONNECT 0x5304
#define APM_SIGNATURE 0x504d /* "PM" */
#define APM_HAS_32 0x0002

uint64_t firmware_low_page(void)
{
    return (uintptr_t)bios_bounce;
}

uint64_t firmware_map_bytes(void)
{
    return 0;
}

static bool call_apm(uint32_t function, struct bios_registers *registers)
{
    *registers = (struct bios_registers){.eax = function};
    bios_call(SYSTEM_SERVICES, registers);
    return !bios_failed(registers);
}

/* Whoever was connected is so no more; that there was nobody is an error that does not matter. */
bool firmware_describe_apm(struct firmware_apm *apm)
{
    struct bios_registers installed, connected;

    if (!call_apm(APM_CHECK, &installed) || (installed.ebx & 0xffff) != APM_SIGNATURE ||
        !(installed.ecx & APM_HAS_32))
        return false;
    call_apm(APM_DISCONNECT, &connected);
    if (!call_apm(APM_CONNECT_32, &connected))
        return false;
    *apm = (struct firmware_apm){
        .version = (uint16_t)installed.eax,
        .code_segment = (uint16_t)connected.eax,
        .entry_offset = connected.ebx,
        .code_16_segment = (uint16_t)connected.ecx,
        .data_segment = (uint16_t)connected.edx,
        .flags = (uint16_t)installed.ecx,
        .code_bytes = (uint16_t)connected.esi,
        .code_16_bytes = (uint16_t)(connected.esi >> 16),
        .data_bytes = (uint16_t)connected.edi,
    };
    return true;
}
