/*
 * The loader's door to the firmware (core/firmware.h), implemented once more: by a machine that a
 * test makes up. Its RAM is real memory at the addresses the loader uses, its disk is an array, and
 * a boot ends where the real one would stop, or at the jump into the kernel.
 */
#ifndef TESTS_UNIT_CORE_FAKE_FIRMWARE_H
#define TESTS_UNIT_CORE_FAKE_FIRMWARE_H

#include "cpu.h"
#include "firmware.h"
#include "handover.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is behind the map's RAM below 4 GiB and from 1 MiB. Above the program and its heap even
   where these are not position-independent, and below the shadow memory of AddressSanitizer. */
#define FAKE_RAM_PADDR 0x50000000ull
#define FAKE_RAM_BYTES 0x4000000ull
#define FAKE_RAM_END (FAKE_RAM_PADDR + FAKE_RAM_BYTES)
/* What RAM holds before the loader writes to it. */
#define FAKE_RAM_JUNK 0xcc

#define FAKE_NO_LBA UINT64_MAX
/* What firmware_stay() returns. */
#define FAKE_IMAGE_HANDLE 0x1234567890ull

struct fake_firmware {
    /* The machine, for a test to change. */
    const uint8_t *disk;
    uint64_t disk_bytes;
    uint64_t bad_lba;                /* this sector cannot be read */
    uint64_t read_ticks, copy_ticks; /* what a read takes, each in full */
    const struct bootinfo_memory_range *ranges;
    size_t range_count;
    size_t map_capacity;
    struct cpu_features cpu;
    int64_t wall_clock_s;
    struct bootinfo described;               /* what firmware_describe() fills in */
    struct bootinfo_framebuffer framebuffer; /* of the one video mode; width 0: there is none */
    uint64_t low_page_paddr;
    bool has_services; /* as UEFI */
    uint64_t tsc_hz;
    /* What the loader did. */
    char printed[512];
    bool left;
    bool masked; /* the interrupts */
    bool given_back;
    uint32_t io_apic_paddr; /* 0: none was masked */
    bool video_set;
    struct handover handover; /* as handover_enter() got it */
    struct handover copied;   /* and handover_copy() */
    struct handover_services services;
};
extern struct fake_firmware fake_firmware;

/* How a step of the loader came to its end. */
enum fake_end {
    FAKE_RETURNED,
    FAKE_STOPPED, /* in firmware_stop() */
    FAKE_ENTERED, /* in handover_enter() */
};

/* The memory of a usual machine, with all of the fake RAM and 1 GiB above 4 GiB. */
#define FAKE_RANGES 6
extern const struct bootinfo_memory_range fake_ranges[FAKE_RANGES];

/* A machine with the usual memory, RAM full of junk, and no disk. */
void fake_start(void);

/* Run a step of the loader. */
enum fake_end fake_run(void (*step)(void *argument), void *argument);

/* The number of the error that was printed, as the whole and only line; 0: nothing was printed. */
unsigned int fake_error(void);

/* An empty map with room for as many ranges as the machine has. */
struct memory_map;
void fake_empty_map(struct memory_map *map);

#endif
