/*
 * The code that brings another CPU from real mode into the hand-over page.
 */
#ifndef BOOTLOADER_CORE_TRAMPOLINE_H
#define BOOTLOADER_CORE_TRAMPOLINE_H

#include <stdint.h>

struct handover;

/* Put the code into a page below 1 MiB. Returns where a CPU that starts there looks for the
   physical address of its struct bootinfo_cpu; it takes that and leaves 0, for which a CPU stops at
   once. */
volatile uint32_t *trampoline_copy(uint64_t page_paddr, const struct handover *handover);

#endif
