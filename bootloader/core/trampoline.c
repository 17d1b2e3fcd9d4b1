/*
 * The page in which other CPUs wake up. The code itself is trampoline.asm.
 */
#include "trampoline.h"

#include "handover.h"

#include <stdint.h>
#include <string.h>

/* What the code finds behind itself, as trampoline.asm lays it out. */
struct settings {
    volatile uint32_t cpu_paddr;
    uint32_t page_paddr;
    uint32_t entry_paddr;
    uint16_t code_selector;
    uint16_t gdt_limit;
    uint32_t gdt_paddr;
};

/* trampoline.asm */
extern const uint8_t trampoline_code[], trampoline_code_end[], trampoline_settings[];

volatile uint32_t *trampoline_copy(uint64_t page_paddr, const struct handover *handover)
{
    const uintptr_t start = (uintptr_t)trampoline_code;
    const struct handover_door door = handover_door(handover);
    uint8_t *page = (uint8_t *)(uintptr_t)page_paddr;
    struct settings *settings =
        (struct settings *)(page + ((uintptr_t)trampoline_settings - start));

    memcpy(page, trampoline_code, (uintptr_t)trampoline_code_end - start);
    settings->page_paddr = door.page_paddr;
    settings->entry_paddr = door.entry_paddr;
    settings->code_selector = HANDOVER_CODE_32;
    settings->gdt_limit = HANDOVER_GDT_BYTES - 1;
    settings->gdt_paddr = door.gdt_paddr;
    return &settings->cpu_paddr;
}
