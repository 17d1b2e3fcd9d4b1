/*
 * The loader core: everything between the firmware's front end and the kernel.
 */
#ifndef BOOTLOADER_CORE_LOADER_H
#define BOOTLOADER_CORE_LOADER_H

#include "address_space.h"
#include "apic.h"
#include "cpu.h"
#include "firmware.h"
#include "handover.h"
#include "information.h"
#include "limine.h"
#include "load.h"
#include "memory_map.h"
#include "module.h"
#include "plan.h"
#include "sections.h"

struct multiboot_bios;

/* One boot, from the front end's call to the kernel's entry. */
struct loader {
    struct firmware_boot boot;
    int64_t wall_clock_s; /* when the loader began; 0: unknown */
    struct cpu_features cpu;
    struct apic apic;
    struct memory_map map;
    struct plan plan;
    const struct plan_protocol *protocol;        /* in the plan */
    uint32_t traits;                             /* of the protocol (protocol.h) */
    const struct plan_efi_entry *services_entry; /* NULL: the firmware will be left */
    uint64_t tsc_loader, tsc_load, tsc_map;
    struct load_ticks ticks;
    struct address_space space;
    struct modules modules;
    struct sections sections;
    const struct multiboot_bios *bios;       /* of a Multiboot kernel */
    struct bootinfo_framebuffer framebuffer; /* 0 bytes: none */
    struct bootinfo *info;
    uint64_t map_copy_ranges;       /* that the kernel's memory map has room for */
    struct information information; /* of a protocol without paging */
    struct limine limine;           /* of that protocol */
    struct handover handover;
};

/* The whole boot: plan, placement, loading, protocol. Does not return. */
void loader_main(const struct firmware_boot *boot);

#endif
