/*
 * The only door between the loader core and the firmware. Exactly one implementation is linked:
 * bios/, uefi/, or the one of the unit tests, which runs the core as an ordinary program. A
 * function that cannot do its work does not return: it ends in fail() (log.h).
 */
#ifndef BOOTLOADER_CORE_FIRMWARE_H
#define BOOTLOADER_CORE_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

struct bootinfo;
struct bootinfo_framebuffer;
struct memory_map;
struct plan_request;

/* What the front end knows when it calls loader_main(). */
struct firmware_boot {
    uint64_t plan_lba;       /* first sector of the plan's partition */
    uint64_t plan_bytes;     /* the plan with all its records, as the image's header has it */
    uint64_t image_id;       /* the plan must carry the same */
    uint32_t boot_drive;     /* BIOS drive number; 0 on UEFI */
    uint32_t disk_signature; /* of the master boot record */
    uint64_t tsc_stage1;     /* time stamp counter: first instruction of the loader */
    uint64_t tsc_stage2;     /* ... and when all of the loader was in memory */
};

/* Read `bytes` bytes that begin at sector `lba` of the boot disk to any physical address below
   4 GiB. Sectors behind the end of the image are never asked for. Returns how many ticks of the
   time stamp counter went by with copying from a buffer. */
uint64_t firmware_read_disk(uint64_t lba, uint64_t bytes, uint64_t paddr);

/* Add all that the firmware tells of memory to an empty map (memory_map_add()). Gives the map its
   storage first. What is usable there may be overwritten at once; what the firmware gives back only
   when it is left is MEMORY_LEASED. */
void firmware_memory_map(struct memory_map *map);

/* Fill in what the firmware knows: bootinfo's firmware, rsdp_paddr, smbios_paddr, smbios3_paddr and
   efi_system_table_paddr; and in its flags whether the screen shows text. */
void firmware_describe(struct bootinfo *info);

/* The real-time clock, in seconds since 1970 as if it were set to UTC; 0: it cannot be read. */
int64_t firmware_wall_clock(void);

/* Set the video mode that fits a BOOTINFO_REQUEST_FRAMEBUFFER best; for NULL, tell of the
   framebuffer that the screen shows now, if it does. False: there is none, and the mode is as it
   was. Addresses of the result are physical. */
bool firmware_set_video(const struct plan_request *wish, struct bootinfo_framebuffer *framebuffer);

/* The next mode, from *index on, that firmware_set_video() could set, as far as the firmware tells;
   moves *index behind it. It was called, and has found a framebuffer. False: there is none. */
bool firmware_next_video(uint32_t *index, struct bootinfo_framebuffer *mode);

/* What a video BIOS says of itself and of the mode that it shows, as [VBE-3 §4.3, §4.4] have it,
   and where its code for protected mode is [VBE-3 §4.13 "Function 0Ah - Return VBE Protected Mode
   Interface"]. */
struct firmware_vbe {
    uint16_t mode;
    uint16_t interface_segment, interface_offset, interface_bytes; /* 0: there is none */
    uint8_t controller[512];
    uint8_t mode_info[256];
};

/* False: firmware_set_video() has set no mode of a video BIOS. */
bool firmware_describe_vbe(struct firmware_vbe *vbe);

/* The interface of APM for protected mode, connected [RBIL "int 15h AX=5303h"], in the order of
   [Multiboot2 §3.6.10 "APM table"]. Segments are those of real mode, lengths are bytes. */
struct firmware_apm {
    uint16_t version; /* 0: 0x0102 is 1.2 */
    uint16_t code_segment;
    uint32_t entry_offset;
    uint16_t code_16_segment, data_segment;
    uint16_t flags; /* as installed: bit 1: there is a 32-bit interface */
    uint16_t code_bytes, code_16_bytes, data_bytes;
};

/* False: the firmware has no APM. */
bool firmware_describe_apm(struct firmware_apm *apm);

/* A page of RAM below 1 MiB which the loader may overwrite as soon as the firmware was left. */
uint64_t firmware_low_page(void);

/* Print where the user may look: the screen, the serial port, the debug console. Lines end in \n.
 */
void firmware_print(const char *text);

/* The most bytes that the firmware's own memory map may take when it is left; 0 on a BIOS. */
uint64_t firmware_map_bytes(void);

/* Take the machine from the firmware: the CPU takes no interrupt any more, nothing is read or
   printed through the firmware any more. Everything the firmware kept for itself may be
   overwritten. Adds to the map what the firmware has kept for good since firmware_memory_map(), and
   tells of its last memory map in info's efi_ fields; the address there is physical. */
void firmware_leave(struct memory_map *map, struct bootinfo *info);

/* Has it services that can go on for a kernel, as UEFI's boot services? */
bool firmware_has_services(void);

/* Give back what is usable in the map: nothing of it is taken any more. */
void firmware_give_back(const struct memory_map *map);

/* Then, in the place of firmware_leave(): the handle of the loader's image, which the kernel needs
   to end the services. */
uint64_t firmware_stay(void);

/* After firmware_leave(), for a kernel without an IDT: no interrupt of a device arrives any more,
   none is in service, and NMI is masked. */
void firmware_mask_interrupts(void);

/* The same for interrupts that come by an I/O APIC, with registers at this address. */
void firmware_mask_io_apic(uint32_t paddr);

/* Ticks of the time stamp counter in a second; 0: unknown. May take some milliseconds, after
   firmware_leave(). */
uint64_t firmware_tsc_hz(void);

/* Stop the machine, for good. */
_Noreturn void firmware_stop(void);

#endif
