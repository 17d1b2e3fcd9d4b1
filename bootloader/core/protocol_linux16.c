/*
 * Linux's boot protocol as it was at first, on a BIOS: the real-mode code of the file is entered,
 * with what the loader adds in its header [Linux "The Linux/x86 Boot Protocol", "Loading The Rest
 * of The Kernel", "Running the Kernel"]. The BIOS stays whole: nothing of its memory is written to,
 * and the interrupt controllers are as it had them.
 */
#include "information.h"
#include "log.h"
#include "protocol.h"
#include "real_mode.h"

#include <string.h>

#define LOADER_OF_NO_NUMBER 0xffu
#define CAN_USE_HEAP 0x80u
#define HEAP_DISTANCE 0x200u /* heap_end_ptr is counted from the code behind the boot sector */

/* Offsets in the real-mode area. */
#define LOADER_TYPE 0x210u
#define LOAD_FLAGS 0x211u
#define INITRD_PADDR 0x218u
#define INITRD_BYTES 0x21cu
#define HEAP_END 0x224u
#define COMMAND_LINE 0x228u

static const struct plan_region *area_of(const struct loader *loader)
{
    return (const void *)plan_find(&loader->plan, NULL, PLAN_REGION);
}

void protocol_linux16_prepare(struct loader *loader)
{
    const struct plan_region *area = area_of(loader);
    uint64_t line_bytes;

    information_command_line(loader, &line_bytes);
    if (area->paddr != PLAN_LINUX16_PADDR || area->bytes != PLAN_LINUX16_BYTES ||
        line_bytes > PLAN_LINUX16_BYTES - PLAN_LINUX16_LINE)
        fail(ERROR_PLAN_DAMAGED, {"real-mode area", area->paddr}, {"bytes", area->bytes});
    information_start(loader);
}

static void put32(uint8_t *area, uint32_t offset, uint64_t value)
{
    memcpy(area + offset, &value, sizeof(uint32_t));
}

static void fill_header(const struct loader *loader, uint8_t *area)
{
    const struct bootinfo_module *modules = modules_list(&loader->modules);
    const uint16_t heap_end = PLAN_LINUX16_STACK - HEAP_DISTANCE;
    uint64_t line_bytes;
    const char *line = information_command_line(loader, &line_bytes);

    area[LOADER_TYPE] = LOADER_OF_NO_NUMBER;
    area[LOAD_FLAGS] |= CAN_USE_HEAP;
    memcpy(area + HEAP_END, &heap_end, sizeof(heap_end));
    memcpy(area + PLAN_LINUX16_LINE, line, line_bytes);
    put32(area, COMMAND_LINE, PLAN_LINUX16_PADDR + PLAN_LINUX16_LINE);
    if (loader->modules.count == 0)
        return;
    put32(area, INITRD_PADDR, modules[0].address);
    put32(area, INITRD_BYTES, modules[0].bytes);
}

/* The area waits elsewhere, as the BIOS's loader has its place. */
void protocol_linux16_enter(struct loader *loader)
{
    uint8_t *area = (uint8_t *)(uintptr_t)plan_load_paddr(area_of(loader));

    fill_header(loader, area);
    real_mode_copy(area + PLAN_LINUX16_SWITCH, PLAN_LINUX16_PADDR >> 4, PLAN_LINUX16_STACK);
    information_leave(loader);
    information_enter(loader, 0, PLAN_LINUX16_PADDR + PLAN_LINUX16_SWITCH, 0);
}
