/*
 * Fifth step: the image goes to a file, the payload piece by piece from the files it comes from.
 *
 * The loader is constant; written into it are only the partition table, the disk signature and the
 * header. The next to read these bytes is the BIOS.
 */
#include "image.h"

#include "bootimage/image.h"
#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The geometry that partition tables are written for when a disk has none. */
#define HEADS 255u
#define SECTORS_PER_TRACK 63u
#define CYLINDERS 1024u

static void put32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof(value));
}

/* Cylinder, head and sector of an LBA; some BIOSes guess a disk's geometry from them. What lies
   beyond the last cylinder gets its last sector. */
static void put_chs(uint8_t chs[3], uint64_t lba)
{
    uint64_t cylinder = lba / (HEADS * SECTORS_PER_TRACK);
    uint64_t head = lba / SECTORS_PER_TRACK % HEADS;
    uint64_t sector = lba % SECTORS_PER_TRACK + 1;

    if (cylinder >= CYLINDERS) {
        cylinder = CYLINDERS - 1;
        head = HEADS - 1;
        sector = SECTORS_PER_TRACK;
    }
    chs[0] = (uint8_t)head;
    chs[1] = (uint8_t)(sector | (cylinder >> 8) << 6);
    chs[2] = (uint8_t)cylinder;
}

/* Some BIOSes and systems take a signature of 0 for a disk without one. */
static uint32_t disk_signature(uint64_t image_id)
{
    uint32_t low = (uint32_t)image_id;

    return low ? low : 1;
}

static void fill_partition(struct image_partition *partition, uint8_t type, uint64_t lba,
                           uint64_t sectors)
{
    partition->type = type;
    put_chs(partition->chs_first, lba);
    put_chs(partition->chs_last, lba + sectors - 1);
    put32(partition->first_lba, (uint32_t)lba);
    put32(partition->sectors, (uint32_t)sectors);
}

void image_fill_mbr(struct image_mbr *mbr, const struct plan *plan)
{
    put32(mbr->disk_signature, disk_signature(plan->image_id));
    memset(mbr->reserved, 0, sizeof(mbr->reserved));
    memset(mbr->partitions, 0, sizeof(mbr->partitions));
    mbr->partitions[0].status = IMAGE_PARTITION_ACTIVE;
    fill_partition(&mbr->partitions[0], IMAGE_PARTITION_TYPE_PAYLOAD, plan->plan_lba,
                   plan->partition_sectors);
    if (plan->esp_lba)
        fill_partition(&mbr->partitions[1], IMAGE_PARTITION_TYPE_EFI, plan->esp_lba,
                       plan->esp_bytes / IMAGE_SECTOR_BYTES);
    mbr->boot_signature[0] = IMAGE_MBR_SIGNATURE & 0xFF;
    mbr->boot_signature[1] = IMAGE_MBR_SIGNATURE >> 8;
}

void image_fill_header(struct image_header *header, const struct plan *plan)
{
    size_t stage2_start = IMAGE_STAGE2_LBA * IMAGE_SECTOR_BYTES;
    size_t stage2_bytes = plan->loader_bytes - stage2_start;

    *header = (struct image_header){
        .magic = IMAGE_HEADER_MAGIC,
        .format_version = IMAGE_FORMAT_VERSION,
        .image_id = plan->image_id,
        .image_sectors = plan->plan_lba + plan->partition_sectors,
        .plan_lba = plan->plan_lba,
        .plan_bytes = plan->records_bytes,
        .stage2_sectors = (uint32_t)(stage2_bytes / IMAGE_SECTOR_BYTES),
        .stage2_sum = checksum_words(plan->loader + stage2_start, stage2_bytes),
    };
    if (plan->esp) {
        header->esp_lba = (uint32_t)plan->esp_lba;
        header->esp_sectors = (uint32_t)(plan->esp_bytes / IMAGE_SECTOR_BYTES);
        header->esp_xxh64 = XXH64(plan->esp, plan->esp_bytes, 0);
    }
    header->crc32 = checksum_crc32(header, sizeof(*header));
}

static bool write_failed(const char *path, int number, struct error *error)
{
    const char *cure = "";

    if (number == ENOSPC || number == EDQUOT)
        cure = "make room, or ";
    else if (number == EFBIG)
        cure = "raise the limit of file sizes (ulimit -f), or ";
    return error_set(error, "%s: cannot write: %s; %schoose another place [output-write]", path,
                     strerror(number), cure);
}

static bool write_at(int fd, const char *path, const void *data, uint64_t bytes, uint64_t offset,
                     struct error *error)
{
    const uint8_t *next = data;

    while (bytes) {
        ssize_t written = pwrite(fd, next, bytes, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return write_failed(path, written < 0 ? errno : ENOSPC, error);
        next += written;
        offset += (uint64_t)written;
        bytes -= (uint64_t)written;
    }
    return true;
}

/* Most of the volume is free, and stays a hole. */
static bool write_esp(const struct plan *plan, int fd, const char *path, struct error *error)
{
    static const uint8_t zeros[IMAGE_SECTOR_BYTES];
    uint64_t start = plan->esp_lba * IMAGE_SECTOR_BYTES;

    for (size_t offset = 0; offset < plan->esp_bytes; offset += sizeof(zeros)) {
        if (memcmp(plan->esp + offset, zeros, sizeof(zeros)) != 0 &&
            !write_at(fd, path, plan->esp + offset, sizeof(zeros), start + offset, error))
            return false;
    }
    return true;
}

static bool write_loader(const struct plan *plan, int fd, const char *path, struct error *error)
{
    struct image_mbr mbr;
    struct image_header header;
    size_t stage2_start = IMAGE_STAGE2_LBA * IMAGE_SECTOR_BYTES;

    memcpy(&mbr, plan->loader, sizeof(mbr));
    image_fill_mbr(&mbr, plan);
    image_fill_header(&header, plan);
    return write_at(fd, path, &mbr, sizeof(mbr), 0, error) &&
           write_at(fd, path, &header, sizeof(header), IMAGE_HEADER_LBA * IMAGE_SECTOR_BYTES,
                    error) &&
           write_at(fd, path, plan->loader + stage2_start, plan->loader_bytes - stage2_start,
                    stage2_start, error) &&
           write_esp(plan, fd, path, error);
}

/* What is written has the hash that stands in the plan, or there is no image. */
static bool write_piece(const struct plan_piece *piece, uint64_t offset,
                        struct input_reader *reader, int fd, const char *path, struct error *error)
{
    struct input_piece rest = piece->source;
    XXH64_state_t state;

    XXH64_reset(&state, 0);
    while (rest.bytes > 0) {
        size_t bytes = input_next(reader, &rest, error);

        if (bytes == 0 || !write_at(fd, path, reader->buffer, bytes, offset, error))
            return false;
        XXH64_update(&state, reader->buffer, bytes);
        offset += bytes;
    }
    return XXH64_digest(&state) == piece->xxh64 || input_changed(piece->source.file, error);
}

static bool write_payload(const struct plan *plan, int fd, const char *path, struct error *error)
{
    uint64_t partition = plan->plan_lba * IMAGE_SECTOR_BYTES;
    struct input_reader reader;
    bool done = input_reader_open(&reader, error);

    for (size_t i = 0; done && i < plan->piece_count; i++)
        done = write_piece(&plan->pieces[i], partition + plan->pieces[i].offset, &reader, fd, path,
                           error);
    input_reader_close(&reader);
    return done;
}

bool image_write(const struct plan *plan, int fd, const char *path, struct error *error)
{
    uint64_t partition = plan->plan_lba * IMAGE_SECTOR_BYTES;

    if (!write_loader(plan, fd, path, error) ||
        !write_at(fd, path, plan->records, plan->records_bytes, partition, error))
        return false;
    if (!write_payload(plan, fd, path, error))
        return false;
    if (ftruncate(fd, (off_t)plan->image_bytes) != 0)
        return write_failed(path, errno, error);
    return true;
}
