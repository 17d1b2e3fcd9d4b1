/*
 * Boot protocols: how a loaded kernel is entered. One file and one row in the table for each.
 */
#ifndef BOOTLOADER_CORE_PROTOCOL_H
#define BOOTLOADER_CORE_PROTOCOL_H

#include "loader.h"

/* What kernels of a protocol are promised. Paging: their regions have virtual addresses, and the
   loader makes page tables. All others have physical addresses only, and are entered in flat 32-bit
   protected mode. */
#define PROTOCOL_PAGING 0x1u
/* The interrupt controllers are as the firmware had them; else nothing arrives from them. */
#define PROTOCOL_KEEPS_INTERRUPTS 0x2u
/* Modules lie as high as can be below 2 GiB, as an initrd does [Linux "The Linux/x86 Boot
   Protocol", ramdisk_image and initrd_addr_max]. */
#define PROTOCOL_HIGH_MODULES 0x4u
/* The kernel calls the BIOS: no other firmware will do. */
#define PROTOCOL_BIOS 0x8u

/* A protocol's two steps. `prepare` may still fail and changes nothing that the firmware needs;
   `enter` takes the machine from the firmware and jumps. */
struct protocol {
    uint32_t number; /* enum plan_protocol_number */
    uint32_t traits; /* PROTOCOL_ */
    uint32_t needs;  /* enum plan_record_type: the plan has such a record, too; 0: nothing more */
    void (*prepare)(struct loader *loader);
    void (*enter)(struct loader *loader);
};

/* The protocol of this number; fails when this loader does not know it. */
const struct protocol *protocol_find(uint32_t number);

/* protocol_plain.c: 64-bit ELF, entered in long mode with a struct bootinfo. */
void protocol_plain_prepare(struct loader *loader);
void protocol_plain_enter(struct loader *loader);

/* protocol_plain32.c: 32-bit ELF, entered in protected mode with a struct bootinfo. */
void protocol_plain32_prepare(struct loader *loader);
void protocol_plain32_enter(struct loader *loader);

/* protocol_multiboot1.c, protocol_multiboot2.c: entered with the boot information of that. */
void protocol_multiboot1_prepare(struct loader *loader);
void protocol_multiboot1_enter(struct loader *loader);
void protocol_multiboot2_prepare(struct loader *loader);
void protocol_multiboot2_enter(struct loader *loader);

/* protocol_limine.c: 64-bit ELF, entered in long mode, whose requests are answered. */
void protocol_limine_prepare(struct loader *loader);
void protocol_limine_enter(struct loader *loader);

/* protocol_linux.c: entered with a struct boot_params. */
void protocol_linux_prepare(struct loader *loader);
void protocol_linux_enter(struct loader *loader);

/* protocol_linux16.c: entered in real mode, with the BIOS. */
void protocol_linux16_prepare(struct loader *loader);
void protocol_linux16_enter(struct loader *loader);

/* protocol_pvh.c: entered with a struct hvm_start_info. */
void protocol_pvh_prepare(struct loader *loader);
void protocol_pvh_enter(struct loader *loader);

#endif
