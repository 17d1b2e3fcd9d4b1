/*
 * Reading the boot disk through int 13h: by EDD packets, or by cylinder, head and sector where the
 * BIOS has no EDD for the drive. Every transfer goes through the bounce buffer, as many sectors at
 * once as the BIOS takes; what it holds beyond the request serves the next one. Nothing is ever
 * written.
 */
#include "../core/cpu.h"
#include "../core/firmware.h"
#include "../core/log.h"
#include "bios.h"
#include "bios_call.h"

#include <stdbool.h>
#include <string.h>

#define DISK_SERVICES 0x13
#define DISK_RESET 0x0000
#define DISK_READ_CHS 0x0200
#define DISK_GEOMETRY 0x0800
#define DISK_CHECK_EDD 0x4100
#define DISK_READ_EDD 0x4200
#define DISK_PARAMETERS 0x4800

#define EDD_ASK 0x55aa
#define EDD_ANSWER 0xaa55
#define EDD_PACKETS 0x1

/* That a CHS read has room for. */
#define MOST_CYLINDERS 1024

/* More in one call fails on some BIOSes, such as Phoenix EDD. */
#define MOST_SECTORS 127
/* Of one transfer, each after a reset and with half the sectors of the last. */
#define TRIES 8

/* [EDD-3 §8.2 "Device Address Packet"] */
struct edd_packet {
    uint8_t bytes;    /* 0: 16 */
    uint8_t reserved; /* 1 */
    uint16_t sectors; /* 2 */
    uint16_t offset;  /* 4 */
    uint16_t segment; /* 6 */
    uint64_t lba;     /* 8 */
};
_Static_assert(sizeof(struct edd_packet) == 16, "edd_packet");

/* [EDD-3 §8.3.7 "Get Device Parameters"], what version 1.0 has. */
struct edd_parameters {
    uint16_t bytes;                           /* 0: room in, length out */
    uint16_t flags;                           /* 2 */
    uint32_t cylinders, heads, track_sectors; /* 4, 8, 12 */
    uint64_t sectors;                         /* 16: of the disk; some BIOSes say 0 */
    uint16_t sector_bytes;                    /* 24 */
    uint8_t reserved[6];
};
_Static_assert(sizeof(struct edd_parameters) == 32, "edd_parameters");

static struct {
    uint8_t drive;
    bool has_edd;
    uint32_t heads, track_sectors; /* where there is no EDD */
    uint64_t image_sectors;        /* nothing beyond is read */
    uint32_t limit;                /* sectors per transfer; once halved it stays halved */
    uint64_t held_lba;             /* the bounce buffer holds held_sectors from here */
    uint32_t held_sectors;
} disk;

static uint16_t segment_of(const void *low_memory)
{
    return (uint16_t)((uintptr_t)low_memory >> 4);
}

static void call(struct bios_registers *registers)
{
    registers->edx = (registers->edx & ~0xffu) | disk.drive;
    bios_call(DISK_SERVICES, registers);
}

/* The size of the disk in sectors, or 0 when the BIOS does not tell. */
static uint64_t ask_size(void)
{
    struct edd_parameters *parameters = (void *)bios_buffer;
    struct bios_registers registers = {
        .eax = DISK_PARAMETERS,
        .ds = segment_of(parameters),
    };

    memset(parameters, 0, sizeof(*parameters));
    parameters->bytes = 26; /* up to sector_bytes */
    call(&registers);
    return bios_failed(&registers) ? 0 : parameters->sectors;
}

static bool has_edd(void)
{
    struct bios_registers registers = {.eax = DISK_CHECK_EDD, .ebx = EDD_ASK};

    call(&registers);
    return !bios_failed(&registers) && (uint16_t)registers.ebx == EDD_ANSWER &&
           (registers.ecx & EDD_PACKETS);
}

static void ask_geometry(void)
{
    struct bios_registers registers = {.eax = DISK_GEOMETRY};

    call(&registers);
    disk.track_sectors = registers.ecx & 0x3f;
    disk.heads = (registers.edx >> 8 & 0xff) + 1;
    if (bios_failed(&registers) || disk.track_sectors == 0)
        fail(ERROR_DISK_READ, {"drive", disk.drive}, {"geometry status", bios_status(&registers)});
}

/* Not what the BIOS tells: some take the last cylinder for themselves, and read it all the same. */
static uint64_t reach_of_chs(void)
{
    return (uint64_t)MOST_CYLINDERS * disk.heads * disk.track_sectors;
}

void disk_start(uint8_t drive, uint64_t image_sectors)
{
    disk.drive = drive;
    disk.image_sectors = image_sectors;
    disk.limit = MOST_SECTORS;
    disk.has_edd = has_edd();
    if (!disk.has_edd)
        ask_geometry();
    uint64_t sectors = disk.has_edd ? ask_size() : reach_of_chs();

    if (sectors > 0 && sectors < image_sectors)
        fail(ERROR_DISK_SHORT, {"drive", drive}, {"sectors", sectors}, {"image", image_sectors});
}

/* One transfer to the bounce buffer. Returns the status of the BIOS, 0 for success. */
static uint8_t transfer_edd(uint64_t lba, uint32_t sectors)
{
    struct edd_packet *packet = (void *)bios_buffer;
    struct bios_registers registers = {.eax = DISK_READ_EDD, .ds = segment_of(packet)};

    *packet = (struct edd_packet){
        .bytes = sizeof(*packet),
        .sectors = (uint16_t)sectors,
        .segment = segment_of(bios_bounce),
        .lba = lba,
    };
    call(&registers);
    if (!bios_failed(&registers))
        return 0;
    return bios_status(&registers) ? bios_status(&registers) : 0xff;
}

/* As transfer_edd(); at most to the end of a track [RBIL "INT 13/AH=02h"]. */
static uint8_t transfer_chs(uint64_t lba, uint32_t sectors)
{
    uint32_t track = (uint32_t)(lba / disk.track_sectors);
    uint32_t sector = (uint32_t)(lba % disk.track_sectors) + 1;
    uint32_t head = track % disk.heads, cylinder = track / disk.heads;
    struct bios_registers registers = {
        .eax = DISK_READ_CHS | sectors,
        .ecx = (cylinder & 0xff) << 8 | (cylinder >> 8 & 0x3) << 6 | sector,
        .edx = head << 8,
        .es = segment_of(bios_bounce),
    };

    call(&registers);
    if (!bios_failed(&registers))
        return 0;
    return bios_status(&registers) ? bios_status(&registers) : 0xff;
}

static void reset(void)
{
    struct bios_registers registers = {.eax = DISK_RESET};

    call(&registers);
}

/* How many sectors the next transfer from `lba` takes. */
static uint32_t transfer_sectors(uint64_t lba)
{
    uint64_t sectors = disk.image_sectors - lba;

    if (sectors > disk.limit)
        sectors = disk.limit;
    if (!disk.has_edd && sectors > disk.track_sectors - lba % disk.track_sectors)
        sectors = disk.track_sectors - lba % disk.track_sectors;
    return (uint32_t)sectors;
}

/* Let the bounce buffer hold `lba` and what follows. */
static void hold(uint64_t lba)
{
    uint8_t status = 0;

    if (lba >= disk.image_sectors)
        fail(ERROR_PLAN_DAMAGED, {"sector", lba}, {"image", disk.image_sectors});
    disk.held_sectors = 0;
    for (int i = 0; i < TRIES; i++) {
        uint32_t sectors = transfer_sectors(lba);

        status = disk.has_edd ? transfer_edd(lba, sectors) : transfer_chs(lba, sectors);
        if (status == 0) {
            disk.held_lba = lba;
            disk.held_sectors = sectors;
            return;
        }
        reset();
        disk.limit = disk.limit > 1 ? disk.limit / 2 : 1;
    }
    fail(ERROR_DISK_READ, {"drive", disk.drive}, {"sector", lba}, {"status", status});
}

uint64_t firmware_read_disk(uint64_t lba, uint64_t bytes, uint64_t paddr)
{
    uint64_t copy_ticks = 0;

    while (bytes > 0) {
        if (lba < disk.held_lba || lba - disk.held_lba >= disk.held_sectors)
            hold(lba);
        uint64_t skip = (lba - disk.held_lba) * IMAGE_SECTOR_BYTES;
        uint64_t part = disk.held_sectors * IMAGE_SECTOR_BYTES - skip;

        if (part > bytes)
            part = bytes;
        const uint64_t start = cpu_read_tsc();
        memcpy((void *)(uintptr_t)paddr, bios_bounce + skip, part);
        copy_ticks += cpu_read_tsc() - start;
        lba += part / IMAGE_SECTOR_BYTES;
        paddr += part;
        bytes -= part;
    }
    return copy_ticks;
}
