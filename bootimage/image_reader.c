/*
 * Reads an image back: a file, or the disk that it was copied to. See image_reader.h.
 *
 * Read with pread() and never mapped, as disks fail and files get cut while they are read.
 * plan_reader.c checks the records; inspect.c shows what is found, verify.c checks the rest.
 */
#include "image_reader.h"

#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 0x10000u
#define HEADER_OFFSET (IMAGE_HEADER_LBA * IMAGE_SECTOR_BYTES)

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Reads up to the end of the file; the bytes that were read, or -1. */
static ssize_t read_some(int fd, uint64_t offset, void *data, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t count = pread(fd, (uint8_t *)data + done, bytes - done, (off_t)(offset + done));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static bool looks_like_image(const uint8_t sectors[2 * IMAGE_SECTOR_BYTES])
{
    struct image_mbr mbr;

    memcpy(&mbr, sectors, sizeof(mbr));
    return memcmp(sectors + HEADER_OFFSET, IMAGE_HEADER_MAGIC, sizeof(IMAGE_HEADER_MAGIC)) == 0 ||
           (mbr.boot_signature[0] == (IMAGE_MBR_SIGNATURE & 0xFF) &&
            mbr.boot_signature[1] == IMAGE_MBR_SIGNATURE >> 8 &&
            mbr.partitions[0].type == IMAGE_PARTITION_TYPE_PAYLOAD);
}

bool image_reader_recognise(const char *path)
{
    uint8_t sectors[2 * IMAGE_SECTOR_BYTES];
    struct stat status;

    if (stat(path, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool whole = read_some(fd, 0, sectors, sizeof(sectors)) == (ssize_t)sizeof(sectors);
    close(fd);
    return whole && looks_like_image(sectors);
}

static bool cannot_open(const struct image_reader *reader, struct error *error)
{
    return error_set(error, "%s: cannot open: %s; %s [image-open]", reader->path, strerror(errno),
                     errno == EACCES ? "give read permission" : "check the path");
}

static bool open_file(struct image_reader *reader, struct error *error)
{
    struct stat status;

    if (stat(reader->path, &status) != 0)
        return cannot_open(reader, error);
    reader->is_disk = S_ISBLK(status.st_mode);
    if (!S_ISREG(status.st_mode) && !reader->is_disk)
        return error_set(error,
                         "%s: is neither a regular file nor a disk; name an image of bootimage "
                         "[image-not-regular]",
                         reader->path);
    reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0)
        return cannot_open(reader, error);
    off_t end = lseek(reader->fd, 0, SEEK_END);
    if (end < 0)
        return cannot_open(reader, error);
    reader->file_bytes = (uint64_t)end;
    return true;
}

bool image_reader_read(const struct image_reader *reader, uint64_t offset, void *data, size_t bytes,
                       struct error *error)
{
    ssize_t count = read_some(reader->fd, offset, data, bytes);

    if (count == (ssize_t)bytes)
        return true;
    return error_set(error, "%s: cannot read 0x%zx bytes at 0x%" PRIx64 ": %s [image-read]",
                     reader->path, bytes, offset,
                     count < 0 ? strerror(errno) : "the file ends before");
}

bool image_reader_expect(const struct image_reader *reader, const char *part, uint64_t offset,
                         const void *expected, uint64_t bytes, struct error *error)
{
    uint8_t found[4096];

    for (uint64_t done = 0; done < bytes;) {
        size_t count = (size_t)smaller(bytes - done, sizeof(found));

        if (!image_reader_read(reader, offset + done, found, count, error))
            return false;
        for (size_t i = 0; i < count; i++) {
            uint8_t byte = expected ? ((const uint8_t *)expected)[done + i] : 0;

            if (found[i] != byte)
                return error_set(error,
                                 "%s: %s is damaged: byte 0x%" PRIx64
                                 " is 0x%02x, where 0x%02x has to be; write the image anew "
                                 "[image-byte]",
                                 reader->path, part, offset + done + i, found[i], byte);
        }
        done += count;
    }
    return true;
}

bool image_reader_hash(const struct image_reader *reader, uint64_t offset, uint64_t bytes,
                       uint64_t *xxh64, struct error *error)
{
    uint8_t *chunk = malloc(CHUNK_BYTES);
    XXH64_state_t *state = XXH64_createState();
    bool done = chunk && state;

    if (!done)
        error_out_of_memory(error);
    else
        XXH64_reset(state, 0);
    while (done && bytes > 0) {
        size_t count = (size_t)smaller(bytes, CHUNK_BYTES);

        done = image_reader_read(reader, offset, chunk, count, error);
        if (done)
            XXH64_update(state, chunk, count);
        offset += count;
        bytes -= count;
    }
    if (done)
        *xxh64 = XXH64_digest(state);
    XXH64_freeState(state);
    free(chunk);
    return done;
}

uint64_t image_reader_bytes(const struct image_reader *reader)
{
    uint64_t bytes = reader->header.image_sectors * IMAGE_SECTOR_BYTES;

    return bytes < IMAGE_MINIMUM_BYTES ? IMAGE_MINIMUM_BYTES : bytes;
}

/* The bytes that are the same in all headers, then the checksum, which knows no place. */
static bool check_header_bytes(const struct image_reader *reader, struct error *error)
{
    struct image_header header = reader->header;
    uint32_t crc32;

    if (!image_reader_expect(reader, "the header (LBA 1)", HEADER_OFFSET, IMAGE_HEADER_MAGIC,
                             sizeof(header.magic), error))
        return false;
    header.crc32 = 0;
    crc32 = checksum_crc32(&header, sizeof(header));
    if (crc32 == reader->header.crc32 && header.format_version != IMAGE_FORMAT_VERSION)
        return error_set(error,
                         "%s: is an image of format %" PRIu32 ", and this bootimage knows %u; use "
                         "the bootimage that made it [image-version]",
                         reader->path, header.format_version, IMAGE_FORMAT_VERSION);
    header.format_version = IMAGE_FORMAT_VERSION;
    memset(header.reserved, 0, sizeof(header.reserved));
    header.crc32 = reader->header.crc32;
    if (!image_reader_expect(reader, "the header (LBA 1)", HEADER_OFFSET, &header, sizeof(header),
                             error))
        return false;
    if (crc32 != header.crc32)
        return error_set(error,
                         "%s: the header (LBA 1) is damaged: its CRC-32 is 0x%08" PRIx32
                         ", but it says 0x%08" PRIx32 "; write the image anew [image-checksum]",
                         reader->path, crc32, header.crc32);
    return true;
}

static bool check_size(const struct image_reader *reader, uint64_t bytes, struct error *error)
{
    if (reader->file_bytes >= bytes)
        return true;
    return error_set(error,
                     "%s: is truncated: it has 0x%" PRIx64 " bytes, and the image has 0x%" PRIx64
                     "; copy the whole image [image-truncated]",
                     reader->path, reader->file_bytes, bytes);
}

/* Places and sizes, so that nothing later lies outside the image or wraps. */
static bool check_layout(const struct image_reader *reader, struct error *error)
{
    const struct image_header *header = &reader->header;
    uint64_t loader_end = header->esp_lba ? header->esp_lba : header->plan_lba;
    uint64_t plan_sectors = header->plan_bytes / IMAGE_SECTOR_BYTES;

    bool sound = header->image_sectors <= UINT32_MAX &&
                 header->plan_lba % IMAGE_PARTITION_ALIGN_SECTORS == 0 &&
                 header->plan_lba >= IMAGE_FIRST_PARTITION_LBA &&
                 header->plan_lba < header->image_sectors &&
                 (header->stage2_sectors > 0 || header->esp_sectors > 0) &&
                 header->stage2_sectors <= loader_end - IMAGE_STAGE2_LBA &&
                 loader_end >= IMAGE_FIRST_PARTITION_LBA &&
                 loader_end % IMAGE_PARTITION_ALIGN_SECTORS == 0 &&
                 loader_end + header->esp_sectors <= header->plan_lba &&
                 (header->esp_lba == 0) == (header->esp_sectors == 0) &&
                 header->plan_bytes >= sizeof(struct image_plan) && header->plan_bytes % 8 == 0 &&
                 plan_sectors < header->image_sectors - header->plan_lba;
    if (!sound)
        return error_set(error,
                         "%s: the header (LBA 1) makes no sense: %" PRIu64
                         " sectors, loader of %" PRIu32 ", plan of %" PRIu64
                         " bytes at LBA %" PRIu64 "; write the image anew [image-header]",
                         reader->path, header->image_sectors, header->stage2_sectors,
                         header->plan_bytes, header->plan_lba);
    return check_size(reader, image_reader_bytes(reader), error);
}

static bool read_header(struct image_reader *reader, struct error *error)
{
    uint8_t sectors[2 * IMAGE_SECTOR_BYTES] = {0};

    if (read_some(reader->fd, 0, sectors, sizeof(sectors)) < 0)
        return image_reader_read(reader, 0, sectors, sizeof(sectors), error);
    if (!looks_like_image(sectors))
        return error_set(error,
                         "%s: is not an image of bootimage; name one, or the disk that it was "
                         "written to [image-unknown]",
                         reader->path);
    if (!check_size(reader, IMAGE_MINIMUM_BYTES, error))
        return false;
    memcpy(&reader->mbr, sectors, sizeof(reader->mbr));
    memcpy(&reader->header, sectors + HEADER_OFFSET, sizeof(reader->header));
    return true;
}

bool image_reader_open(struct image_reader *reader, const char *path, struct error *error)
{
    *reader = (struct image_reader){.path = path, .fd = -1};
    if (open_file(reader, error) && read_header(reader, error) &&
        check_header_bytes(reader, error) && check_layout(reader, error))
        return true;
    image_reader_close(reader);
    return false;
}

/* The start of the plan, which the header determines but for its hash. */
static bool check_prefix(const struct image_reader *reader, struct error *error)
{
    const struct image_header *header = &reader->header;
    struct image_plan prefix = {
        .magic = IMAGE_PLAN_MAGIC,
        .format_version = IMAGE_FORMAT_VERSION,
        .image_id = header->image_id,
        .plan_bytes = header->plan_bytes,
        .partition_bytes = (header->image_sectors - header->plan_lba) * IMAGE_SECTOR_BYTES,
    };

    return image_reader_expect(reader, "the start of the plan",
                               header->plan_lba * IMAGE_SECTOR_BYTES, &prefix,
                               offsetof(struct image_plan, xxh64), error);
}

static bool check_plan_hash(const struct image_reader *reader, struct error *error)
{
    struct image_plan prefix;
    uint64_t start = reader->header.plan_lba * IMAGE_SECTOR_BYTES;

    memcpy(&prefix, reader->plan, sizeof(prefix));
    uint64_t expected = prefix.xxh64;
    prefix.xxh64 = 0;
    memcpy(reader->plan, &prefix, sizeof(prefix));
    uint64_t xxh64 = XXH64(reader->plan, reader->header.plan_bytes, 0);
    prefix.xxh64 = expected;
    memcpy(reader->plan, &prefix, sizeof(prefix));
    if (xxh64 == expected)
        return true;
    return error_set(error,
                     "%s: the plan (bytes 0x%" PRIx64 " to 0x%" PRIx64
                     ") is damaged: its XXH64 is 0x%016" PRIx64 ", but it says 0x%016" PRIx64
                     "; write the image anew [image-checksum]",
                     reader->path, start, start + reader->header.plan_bytes - 1, xxh64, expected);
}

struct plan_view image_reader_plan(const struct image_reader *reader)
{
    return (struct plan_view){reader->plan, reader->header.plan_bytes};
}

bool image_reader_load_plan(struct image_reader *reader, struct error *error)
{
    if (!check_prefix(reader, error))
        return false;
    reader->plan = malloc(reader->header.plan_bytes);
    if (!reader->plan)
        return error_out_of_memory(error);
    return image_reader_read(reader, reader->header.plan_lba * IMAGE_SECTOR_BYTES, reader->plan,
                             reader->header.plan_bytes, error) &&
           check_plan_hash(reader, error) &&
           plan_reader_check(image_reader_plan(reader), reader->path, error);
}

void image_reader_close(struct image_reader *reader)
{
    free(reader->plan);
    if (reader->fd >= 0)
        close(reader->fd);
    *reader = (struct image_reader){.fd = -1};
}
