/*
 * The only door between the loader core and the firmware. Exactly one implementation is linked:
 * bios/, later uefi/, and the one of the unit tests, which runs the core as an ordinary program. A
 * function that cannot do its work does not return: it ends in fail() (log.h).
 */
#ifndef BOOTLOADER_CORE_FIRMWARE_H
#define BOOTLOADER_CORE_FIRMWARE_H

#include <stdint.h>

struct memory_map;

/* What the front end knows when it calls loader_main(). */
struct firmware_boot {
    uint64_t plan_lba;       /* first sector of the plan's partition */
    uint64_t plan_bytes;     /* the plan with all its records, as the image's header has it */
    uint64_t image_id;       /* the plan must carry the same */
    uint32_t boot_drive;     /* BIOS drive number */
    uint32_t disk_signature; /* of the master boot record */
    uint64_t tsc_stage1;     /* time stamp counter: first instruction of the loader */
    uint64_t tsc_stage2;     /* ... and when all of the loader was in memory */
};

/* Read `bytes` bytes that begin at sector `lba` of the boot disk to any physical address below
   4 GiB. Sectors behind the end of the image are never asked for. */
void firmware_read_disk(uint64_t lba, uint64_t bytes, uint64_t paddr);

/* Add all that the firmware tells of memory to an empty map (memory_map_add()). Gives the map its
   storage first. */
void firmware_memory_map(struct memory_map *map);

/* Print where the user may look: the screen, the serial port, the debug console. Lines end in \n.
 */
void firmware_print(const char *text);

/* Take the machine from the firmware: no interrupt arrives any more, nothing is read or printed
   through the firmware any more. Everything the firmware kept for itself may be overwritten. */
void firmware_leave(void);

/* Stop the machine, for good. */
_Noreturn void firmware_stop(void);

#endif
