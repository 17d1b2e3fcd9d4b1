/*
 * I/O APICs [Intel 82093AA §3.0 "Register Description"]: an index register, and a window onto what
 * it names.
 */
#include "../core/firmware.h"

#define WINDOW 0x10u
#define REGISTER_VERSION 0x01u
#define VERSION_LAST_ENTRY_SHIFT 16
/* The lower half of the first entry; each takes two registers. */
#define REGISTER_ENTRIES 0x10u
#define ENTRY_MASKED 0x10000u
#define ENTRY_DELIVERY_SHIFT 8
#define DELIVERY_LOWEST_PRIORITY 1u

/* What is delivered as fixed or to the lowest priority; the others are the machine's own. */
void firmware_mask_io_apic(uint32_t paddr)
{
    volatile uint32_t *index = (uint32_t *)(uintptr_t)paddr;
    volatile uint32_t *window = (uint32_t *)(uintptr_t)(paddr + WINDOW);

    *index = REGISTER_VERSION;
    const uint32_t last = *window >> VERSION_LAST_ENTRY_SHIFT & 0xff;
    for (uint32_t i = 0; i <= last; i++) {
        *index = REGISTER_ENTRIES + 2 * i;
        const uint32_t entry = *window;

        if ((entry >> ENTRY_DELIVERY_SHIFT & 7) <= DELIVERY_LOWEST_PRIORITY)
            *window = entry | ENTRY_MASKED;
    }
}
