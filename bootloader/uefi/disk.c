/*
 * Reading the boot disk through Block I/O [UEFI §13.9 "Block I/O Protocol"]. A call costs up to 10
 * ms whatever its size, so large parts are read in one call, straight to where they belong; small
 * ones come from a buffer, which holds what follows them on the disk as well. Nothing is written.
 */
#include "../core/cpu.h"
#include "../core/header.h"
#include "../core/log.h"
#include "uefi.h"

#include <stdbool.h>
#include <string.h>

#define HELD_SECTORS 256u
#define HELD_BYTES (HELD_SECTORS * IMAGE_SECTOR_BYTES)
/* Of one transfer: first all of it, then HELD_SECTORS, then always half. */
#define TRIES 12
/* A device path of more is none. */
#define MOST_PATH_BYTES 4096

static struct {
    EFI_BLOCK_IO *io;
    uint64_t sectors; /* nothing beyond is read */
    uint64_t limit;   /* sectors per transfer; once made smaller it stays so */
    uint8_t *held;    /* held_sectors from held_lba; HELD_SECTORS fit */
    uint64_t held_lba;
    uint64_t held_sectors;
} disk;

/* Reading. */

static EFI_STATUS transfer(uint64_t lba, uint64_t sectors, void *to)
{
    EFI_BLOCK_IO *io = disk.io;

    return io->ReadBlocks(io, io->Media->MediaId, lba, sectors * IMAGE_SECTOR_BYTES, to);
}

/* To an address that the disk takes. */
static void read_sectors(uint64_t lba, uint64_t sectors, uint8_t *to)
{
    while (sectors > 0) {
        uint64_t part = sectors < disk.limit ? sectors : disk.limit;
        EFI_STATUS status = transfer(lba, part, to);

        for (int i = 1; EFI_ERROR(status) && i < TRIES; i++) {
            part = part > HELD_SECTORS ? HELD_SECTORS : part > 1 ? part / 2 : 1;
            disk.limit = part;
            status = transfer(lba, part, to);
        }
        if (EFI_ERROR(status))
            fail(ERROR_DISK_READ, {"sector", lba}, {"status", status});
        lba += part;
        to += part * IMAGE_SECTOR_BYTES;
        sectors -= part;
    }
}

/* Let the buffer hold `lba` and what follows. */
static void hold(uint64_t lba)
{
    uint64_t sectors = disk.sectors - lba;

    disk.held_sectors = 0;
    if (sectors > HELD_SECTORS)
        sectors = HELD_SECTORS;
    read_sectors(lba, sectors, disk.held);
    disk.held_lba = lba;
    disk.held_sectors = sectors;
}

static bool is_held(uint64_t lba)
{
    return lba >= disk.held_lba && lba - disk.held_lba < disk.held_sectors;
}

/* Whether the disk can read to this address; an alignment of 0 or 1 is none. */
static bool is_aligned(uint64_t paddr)
{
    const UINT32 align = disk.io->Media->IoAlign;

    return align < 2 || (paddr & (align - 1)) == 0;
}

/* What the buffer holds of the request. Returns the bytes, and adds the time that copying took. */
static uint64_t read_held(uint64_t lba, uint64_t bytes, void *to, uint64_t *copy_ticks)
{
    if (!is_held(lba))
        hold(lba);
    uint64_t skip = (lba - disk.held_lba) * IMAGE_SECTOR_BYTES;
    uint64_t part = disk.held_sectors * IMAGE_SECTOR_BYTES - skip;

    if (part > bytes)
        part = bytes;
    const uint64_t start = cpu_read_tsc();
    memcpy(to, disk.held + skip, part);
    *copy_ticks += cpu_read_tsc() - start;
    return part;
}

uint64_t firmware_read_disk(uint64_t lba, uint64_t bytes, uint64_t paddr)
{
    uint64_t copy_ticks = 0;

    if (bytes > 0 &&
        (lba >= disk.sectors || (bytes - 1) / IMAGE_SECTOR_BYTES >= disk.sectors - lba))
        fail(ERROR_PLAN_DAMAGED, {"sector", lba}, {"image", disk.sectors});
    while (bytes > 0) {
        void *to = (void *)(uintptr_t)paddr;
        uint64_t part = bytes - bytes % IMAGE_SECTOR_BYTES;

        if (bytes > HELD_BYTES && !is_held(lba) && is_aligned(paddr))
            read_sectors(lba, part / IMAGE_SECTOR_BYTES, to);
        else
            part = read_held(lba, bytes, to, &copy_ticks);
        lba += part / IMAGE_SECTOR_BYTES;
        paddr += part;
        bytes -= part;
    }
    return copy_ticks;
}

/* Finding the disk. */

/* Read from a disk that may be another's: errors count for nothing. */
static bool try_read(EFI_BLOCK_IO *io, uint64_t lba, uint8_t *to)
{
    return !EFI_ERROR(io->ReadBlocks(io, io->Media->MediaId, lba, IMAGE_SECTOR_BYTES, to));
}

static EFI_BLOCK_IO *block_io(EFI_HANDLE handle)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    void *io;

    if (EFI_ERROR(uefi.services->HandleProtocol(handle, &guid, &io)))
        return NULL;
    const EFI_BLOCK_IO_MEDIA *media = ((EFI_BLOCK_IO *)io)->Media;
    return media->MediaPresent && media->BlockSize == IMAGE_SECTOR_BYTES ? io : NULL;
}

static uint32_t disk_signature(EFI_BLOCK_IO *io)
{
    struct image_mbr mbr;
    uint32_t signature = 0;

    if (try_read(io, 0, disk.held)) {
        memcpy(&mbr, disk.held, sizeof(mbr));
        memcpy(&signature, mbr.disk_signature, sizeof(signature));
    }
    return signature;
}

/* The disk as a whole, by its header. */
static bool try_disk(EFI_BLOCK_IO *io, bool is_own, struct firmware_boot *boot)
{
    struct image_header header;

    if (!io || !try_read(io, IMAGE_HEADER_LBA, disk.held))
        return false;
    memcpy(&header, disk.held, sizeof(header));
    if (!is_own && !header_is_sound(&header))
        return false;
    if (!header_is_there(&header))
        return false;
    header_check(&header);
    boot->plan_lba = header.plan_lba;
    boot->plan_bytes = header.plan_bytes;
    boot->image_id = header.image_id;
    boot->disk_signature = disk_signature(io);
    disk.io = io;
    disk.sectors = header.image_sectors;
    if (io->Media->LastBlock < disk.sectors - 1)
        fail(ERROR_DISK_SHORT, {"sectors", io->Media->LastBlock + 1}, {"image", disk.sectors});
    return true;
}

/* A partition, by the plan that it begins with. */
static bool try_partition(EFI_BLOCK_IO *io, struct firmware_boot *boot)
{
    struct image_plan plan;

    if (!io || !io->Media->LogicalPartition || !try_read(io, 0, disk.held))
        return false;
    memcpy(&plan, disk.held, sizeof(plan));
    if (memcmp(plan.magic, IMAGE_PLAN_MAGIC, sizeof(plan.magic)) != 0)
        return false;
    boot->plan_lba = 0;
    boot->plan_bytes = plan.plan_bytes;
    boot->image_id = plan.image_id;
    disk.io = io;
    disk.sectors = plan.partition_bytes / IMAGE_SECTOR_BYTES;
    if (io->Media->LastBlock < disk.sectors - 1)
        fail(ERROR_DISK_SHORT, {"sectors", io->Media->LastBlock + 1}, {"image", disk.sectors});
    return true;
}

static const EFI_DEVICE_PATH *path_of(EFI_HANDLE handle)
{
    EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    void *path;

    if (!handle || EFI_ERROR(uefi.services->HandleProtocol(handle, &guid, &path)))
        return NULL;
    return path;
}

/* The bytes of a path before its last node, if that is a partition's; else 0. */
static UINTN parent_bytes(const EFI_DEVICE_PATH *path)
{
    const uint8_t *node = (const uint8_t *)path, *last = NULL;

    for (; path && !IsDevicePathEnd((const EFI_DEVICE_PATH *)node);
         node += DevicePathNodeLength((const EFI_DEVICE_PATH *)node)) {
        last = node;
        if ((size_t)DevicePathNodeLength((const EFI_DEVICE_PATH *)node) < sizeof(EFI_DEVICE_PATH) ||
            node - (const uint8_t *)path > MOST_PATH_BYTES)
            return 0;
    }
    if (!last || DevicePathType((const EFI_DEVICE_PATH *)last) != MEDIA_DEVICE_PATH ||
        DevicePathSubType((const EFI_DEVICE_PATH *)last) != MEDIA_HARDDRIVE_DP)
        return 0;
    return (UINTN)(last - (const uint8_t *)path);
}

/* The own disk: it, or one of its partitions. `own` is the path of the loader's partition. */
static bool is_parent(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *own, UINTN own_bytes)
{
    if (!path || memcmp(path, own, own_bytes) != 0)
        return false;
    const EFI_DEVICE_PATH *end = (const void *)((const uint8_t *)path + own_bytes);
    return IsDevicePathEnd(end);
}

static bool is_sibling(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *own, UINTN own_bytes)
{
    return path && parent_bytes(path) == own_bytes && memcmp(path, own, own_bytes) == 0;
}

enum round { ROUND_PARENT, ROUND_SIBLING, ROUND_ANY_DISK, ROUND_ANY_PARTITION, ROUNDS };

static bool try_handle(EFI_HANDLE handle, enum round round, struct firmware_boot *boot)
{
    const EFI_DEVICE_PATH *own = path_of(uefi.loaded->DeviceHandle), *path = path_of(handle);
    UINTN own_bytes = parent_bytes(own);
    EFI_BLOCK_IO *io = block_io(handle);

    if (round <= ROUND_SIBLING && own_bytes == 0)
        return false;
    switch (round) {
    case ROUND_PARENT:
        return is_parent(path, own, own_bytes) && try_disk(io, true, boot);
    case ROUND_SIBLING:
        return is_sibling(path, own, own_bytes) && try_partition(io, boot);
    case ROUND_ANY_DISK:
        return try_disk(io, false, boot);
    case ROUND_ANY_PARTITION:
        return try_partition(io, boot);
    case ROUNDS:
    default:
        return false;
    }
}

static bool search(struct firmware_boot *boot)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = handles_with(&guid, &handles);
    bool found = false;

    for (enum round round = ROUND_PARENT; round < ROUNDS && !found; round++) {
        for (UINTN i = 0; i < count && !found; i++)
            found = try_handle(handles[i], round, boot);
    }
    if (count > 0)
        uefi.services->FreePool(handles);
    return found;
}

/* Firmware that starts fast leaves controllers without drivers until somebody asks. Some crash when
   asked, so this comes last. */
static void connect_all(void)
{
    EFI_HANDLE *handles;
    UINTN count;

    if (EFI_ERROR(uefi.services->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handles)))
        return;
    for (UINTN i = 0; i < count; i++)
        uefi.services->ConnectController(handles[i], NULL, NULL, TRUE);
    uefi.services->FreePool(handles);
}

/* The largest alignment that a disk asks for; the own disk is not known yet. */
static uint64_t most_alignment(void)
{
    EFI_GUID guid = EFI_BLOCK_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = handles_with(&guid, &handles);
    uint64_t align = 4096;

    for (UINTN i = 0; i < count; i++) {
        EFI_BLOCK_IO *io = block_io(handles[i]);

        while (io && align < io->Media->IoAlign)
            align *= 2;
    }
    if (count > 0)
        uefi.services->FreePool(handles);
    return align;
}

void disk_find(struct firmware_boot *boot)
{
    disk.limit = UINT64_MAX;
    disk.held = (uint8_t *)(uintptr_t)memory_take(HELD_BYTES, most_alignment());
    if (search(boot))
        return;
    connect_all();
    if (!search(boot))
        fail(ERROR_NO_DISK, {"handles", 0});
}
