/*
 * The plan and the image: what is written is read back by the format's own structs.
 */
#include "support.h"

#include "image.h"
#include "plan.h"
#include "protocol.h"

#include "bootimage/image.h"
#include "core/checksum.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOADER_SECTORS 5

static uint8_t loader[LOADER_SECTORS * IMAGE_SECTOR_BYTES];
static uint8_t payload[3000];
static int payload_file;
static char payload_path[SUPPORT_PATH_BYTES];
/* As long as its plan; the segments are not. */
static struct kernel kernel;

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(loader); i++)
        loader[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 11 + 1);
    payload_file = support_temporary_file();
    return 0;
}

static struct plan_options options_of(const char *command_line, size_t loader_sectors)
{
    return (struct plan_options){
        .command_line = command_line,
        .loader = loader,
        .loader_bytes = loader_sectors * IMAGE_SECTOR_BYTES,
    };
}

/* Code of 600 bytes, data of 3000 with .bss behind, and .bss alone. */
static struct plan plan_of(const char *command_line, size_t loader_sectors)
{
    struct kernel_segment segments[] = {
        {.vaddr = 0x100000,
         .paddr = 0x100000,
         .memory_bytes = 600,
         .file_bytes = 600,
         .executable = true},
        {.vaddr = 0x101000,
         .paddr = 0x101000,
         .memory_bytes = 0x3000,
         .file_bytes = 3000,
         .writable = true},
        {.vaddr = 0x80000000, .paddr = 0x80000000, .memory_bytes = 0x1000, .writable = true},
    };
    struct plan_options options = options_of(command_line, loader_sectors);
    struct error error = {0};
    struct plan plan;

    assert_int_equal(pwrite(payload_file, payload, sizeof(payload), 0), sizeof(payload));
    kernel = support_kernel(segments, 3);
    kernel.file = support_input(payload_file, payload_path);
    kernel.entry_vaddr = 0x100010;
    assert_true(plan_build(&plan, &kernel, &protocol_plain, &options, &error));
    assert_null(error.text);
    assert_int_equal(error.warning_count, 0);
    return plan;
}

/* Returns the record at *offset, and moves that behind it. */
static const void *next_record(const struct plan *plan, uint64_t *offset, uint16_t type)
{
    const struct plan_record *record = (const void *)(plan->records + *offset);

    assert_int_equal(record->type, type);
    assert_int_equal(record->flags, PLAN_RECORD_REQUIRED);
    assert_int_equal(record->bytes % 8, 0);
    *offset += record->bytes;
    assert_true(*offset <= plan->records_bytes);
    return record;
}

static void assert_segment(const struct plan_segment *segment, uint64_t offset, uint64_t vaddr,
                           uint64_t bytes, uint32_t index)
{
    assert_int_equal(segment->payload_offset, offset);
    assert_int_equal(segment->vaddr, vaddr);
    assert_int_equal(segment->file_bytes, bytes);
    assert_int_equal(segment->index, index);
    /* By the loader's implementation, not by the one that wrote it. */
    assert_int_equal(segment->xxh64, checksum_xxh64(payload, bytes));
}

static void records_are_as_the_format_has_them(void **state)
{
    struct plan plan = plan_of("root=x", LOADER_SECTORS);
    uint64_t offset = sizeof(struct image_plan);

    (void)state;
    const struct plan_protocol *protocol = next_record(&plan, &offset, PLAN_PROTOCOL);
    assert_int_equal(protocol->protocol, PLAN_PROTOCOL_PLAIN);
    assert_int_equal(protocol->entry_vaddr, 0x100010);
    assert_int_equal(protocol->stack_bytes, 0x10000);

    const struct plan_region *region = next_record(&plan, &offset, PLAN_REGION);
    assert_int_equal(region->vaddr, 0x100000);
    assert_int_equal(region->bytes, 0x4000);
    assert_int_equal(region->paddr, 0x100000);
    assert_int_equal(region->flags, PLAN_REGION_MOVABLE);
    assert_segment(next_record(&plan, &offset, PLAN_SEGMENT), 512, 0x100000, 600, 0);
    assert_segment(next_record(&plan, &offset, PLAN_SEGMENT), 1536, 0x101000, 3000, 1);
    const struct plan_mapping *mapping = next_record(&plan, &offset, PLAN_MAPPING);
    assert_int_equal(mapping->vaddr, 0x100000);
    assert_int_equal(mapping->bytes, 0x1000);
    assert_int_equal(mapping->rights, PLAN_EXECUTABLE);
    mapping = next_record(&plan, &offset, PLAN_MAPPING);
    assert_int_equal(mapping->vaddr, 0x101000);
    assert_int_equal(mapping->bytes, 0x3000);
    assert_int_equal(mapping->rights, PLAN_WRITABLE);

    region = next_record(&plan, &offset, PLAN_REGION);
    assert_int_equal(region->paddr, 0x80000000);
    assert_segment(next_record(&plan, &offset, PLAN_SEGMENT), 4608, 0x80000000, 0, 2);
    next_record(&plan, &offset, PLAN_MAPPING);

    const struct plan_command_line *line = next_record(&plan, &offset, PLAN_COMMAND_LINE);
    assert_int_equal(line->record.bytes, 24);
    assert_int_equal(line->text_bytes, 7);
    assert_memory_equal(line->text, "root=x\0", 8);
    assert_int_equal(offset, plan.records_bytes);
    assert_int_equal(plan.partition_sectors, 9);
    assert_int_equal(plan.payload_bytes, 3600);
    plan_free(&plan);
}

static void command_line_is_padded(void **state)
{
    char text[64] = "";

    (void)state;
    for (size_t length = 1; length < sizeof(text); length++) {
        text[length - 1] = 'x';
        struct plan plan = plan_of(text, LOADER_SECTORS);
        struct plan_command_line line;
        uint64_t start = plan.records_bytes - (sizeof(line) + (length + 1 + 7) / 8 * 8);

        memcpy(&line, plan.records + start, sizeof(line));
        assert_int_equal(line.record.type, PLAN_COMMAND_LINE);
        assert_int_equal(line.text_bytes, length + 1);
        assert_int_equal(start + line.record.bytes, plan.records_bytes);
        for (uint64_t i = start + sizeof(line) + length; i < plan.records_bytes; i++)
            assert_int_equal(plan.records[i], 0);
        plan_free(&plan);
    }
}

static void plan_is_sealed(void **state)
{
    struct plan plan = plan_of(NULL, LOADER_SECTORS);
    struct image_plan prefix;

    (void)state;
    memcpy(&prefix, plan.records, sizeof(prefix));
    assert_memory_equal(prefix.magic, IMAGE_PLAN_MAGIC, sizeof(prefix.magic));
    assert_int_equal(prefix.format_version, IMAGE_FORMAT_VERSION);
    assert_int_equal(prefix.image_id, plan.image_id);
    assert_int_equal(prefix.plan_bytes, plan.records_bytes);
    assert_int_equal(prefix.partition_bytes, plan.partition_sectors * IMAGE_SECTOR_BYTES);
    uint64_t written = prefix.xxh64;
    prefix.xxh64 = 0;
    memcpy(plan.records, &prefix, sizeof(prefix));
    assert_int_equal(checksum_xxh64(plan.records, plan.records_bytes), written);
    plan_free(&plan);
}

static void all_content_makes_the_id(void **state)
{
    struct plan plan = plan_of("a", LOADER_SECTORS);
    uint64_t id = plan.image_id;

    (void)state;
    plan_free(&plan);
    plan = plan_of("b", LOADER_SECTORS);
    assert_int_not_equal(plan.image_id, id);
    plan_free(&plan);
    loader[sizeof(loader) - 1] ^= 1;
    plan = plan_of("a", LOADER_SECTORS);
    assert_int_not_equal(plan.image_id, id);
    plan_free(&plan);
    loader[sizeof(loader) - 1] ^= 1;
    payload[2999] ^= 1;
    plan = plan_of("a", LOADER_SECTORS);
    assert_int_not_equal(plan.image_id, id);
    plan_free(&plan);
    payload[2999] ^= 1;
    plan = plan_of("a", LOADER_SECTORS);
    assert_int_equal(plan.image_id, id);
    plan_free(&plan);
}

/* Behind the loader, at a multiple of 8 sectors, and not before LBA 64. */
static void partition_leaves_room_for_the_loader(void **state)
{
    static const struct {
        size_t loader_sectors;
        uint64_t plan_lba;
    } cases[] = {{3, 64}, {64, 64}, {65, 72}, {72, 72}, {73, 80}, {190, 192}};
    struct kernel_segment segments[] = {
        {.vaddr = 0x100000, .paddr = 0x100000, .memory_bytes = 1, .executable = true}};
    uint8_t *large = calloc(200, IMAGE_SECTOR_BYTES);

    (void)state;
    kernel = support_kernel(segments, 1);
    assert_non_null(large);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_options options = {
            .loader = large, .loader_bytes = cases[i].loader_sectors * IMAGE_SECTOR_BYTES};
        struct error error = {0};
        struct plan plan;

        assert_true(plan_build(&plan, &kernel, &protocol_plain, &options, &error));
        assert_int_equal(plan.plan_lba, cases[i].plan_lba);
        plan_free(&plan);
    }
    free(large);
}

/* Sizes that no disk has: told by arithmetic, before any byte is touched. */
static void payloads_too_large_are_refused(void **state)
{
    static const uint64_t sizes[] = {0x1ffffff8000, 1ull << 41, 1ull << 46};
    struct kernel_segment segments[] = {
        {.vaddr = 0x100000, .paddr = 0x100000, .executable = true, .memory_bytes = 1},
        {.vaddr = 0x200000, .paddr = 0x200000},
    };
    struct plan_options options = options_of(NULL, LOADER_SECTORS);

    (void)state;
    kernel = support_kernel(segments, 2);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct error error = {0};
        struct plan plan;

        segments[1].memory_bytes = segments[1].file_bytes = sizes[i];
        assert_false(plan_build(&plan, &kernel, &protocol_plain, &options, &error));
        assert_non_null(error.text);
        assert_non_null(strstr(error.text, "no more than 2 TiB"));
        error_free(&error);
    }
}

static uint8_t *write_and_read(const struct plan *plan, size_t *bytes)
{
    struct error error = {0};
    struct stat status;
    int fd = support_temporary_file();

    assert_true(image_write(plan, fd, "image", &error));
    assert_int_equal(fstat(fd, &status), 0);
    *bytes = (size_t)status.st_size;
    uint8_t *image = malloc(*bytes);
    assert_non_null(image);
    assert_int_equal(pread(fd, image, *bytes, 0), *bytes);
    close(fd);
    return image;
}

static void image_is_whole(void **state)
{
    struct plan plan = plan_of(NULL, LOADER_SECTORS);
    struct image_header header;
    struct image_mbr mbr;
    size_t bytes;
    uint8_t *image = write_and_read(&plan, &bytes);

    (void)state;
    assert_int_equal(bytes, IMAGE_MINIMUM_BYTES);
    memcpy(&mbr, image, sizeof(mbr));
    assert_memory_equal(mbr.stage1, loader, IMAGE_STAGE1_BYTES);
    assert_int_equal(mbr.boot_signature[0] | mbr.boot_signature[1] << 8, IMAGE_MBR_SIGNATURE);
    static const struct image_partition expected = {
        .status = IMAGE_PARTITION_ACTIVE,
        .chs_first = {1, 2, 0},
        .type = IMAGE_PARTITION_TYPE_PAYLOAD,
        .chs_last = {1, 10, 0},
        .first_lba = {64},
        .sectors = {9},
    };
    assert_memory_equal(&mbr.partitions[0], &expected, sizeof(expected));

    memcpy(&header, image + IMAGE_SECTOR_BYTES, sizeof(header));
    assert_memory_equal(header.magic, IMAGE_HEADER_MAGIC, sizeof(header.magic));
    assert_int_equal(header.format_version, IMAGE_FORMAT_VERSION);
    assert_int_equal(header.image_id, plan.image_id);
    assert_int_equal(header.image_sectors, 73);
    assert_int_equal(header.plan_lba, 64);
    assert_int_equal(header.plan_bytes, plan.records_bytes);
    assert_int_equal(header.stage2_sectors, LOADER_SECTORS - IMAGE_STAGE2_LBA);
    assert_int_equal(header.stage2_sum, checksum_words(loader + 1024, sizeof(loader) - 1024));
    uint32_t written = header.crc32;
    header.crc32 = 0;
    assert_int_equal(checksum_crc32(&header, sizeof(header)), written);

    assert_memory_equal(image + 1024, loader + 1024, sizeof(loader) - 1024);
    const uint8_t *partition = image + 64 * IMAGE_SECTOR_BYTES;
    assert_memory_equal(partition, plan.records, plan.records_bytes);
    assert_memory_equal(partition + 512, payload, 600);
    assert_memory_equal(partition + 1536, payload, 3000);
    free(image);
    plan_free(&plan);
}

/* Cylinder, head and sector where they wrap and where they end. */
static void chs_of_large_partitions(void **state)
{
    static const struct {
        uint64_t sectors; /* from LBA 64 */
        uint8_t last[3];
    } cases[] = {
        {255 * 63 - 64, {254, 63, 0}},
        {255 * 63 - 63, {0, 1, 1}},
        {256ull * 255 * 63 - 64, {254, 63, 255}},
        {256ull * 255 * 63 - 63, {0, 1 | 1 << 6, 0}},
        {1024ull * 255 * 63 - 64, {254, 63 | 3 << 6, 255}},
        {1024ull * 255 * 63, {254, 63 | 3 << 6, 255}},
        {0xffffff00, {254, 63 | 3 << 6, 255}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan plan = plan_of(NULL, LOADER_SECTORS);
        struct error error = {0};
        struct image_mbr mbr;
        int fd = support_temporary_file();

        plan.partition_sectors = cases[i].sectors;
        assert_true(image_write(&plan, fd, "image", &error));
        assert_int_equal(pread(fd, &mbr, sizeof(mbr), 0), sizeof(mbr));
        assert_memory_equal(mbr.partitions[0].chs_last, cases[i].last, 3);
        close(fd);
        plan_free(&plan);
    }
}

static void disk_signature_is_never_0(void **state)
{
    struct plan plan = plan_of(NULL, LOADER_SECTORS);
    static const uint8_t one[4] = {1};
    size_t bytes;

    (void)state;
    plan.image_id = 0xffffffff00000000;
    uint8_t *image = write_and_read(&plan, &bytes);
    assert_memory_equal(image + IMAGE_STAGE1_BYTES, one, 4);
    free(image);
    plan_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_the_format_has_them),
        cmocka_unit_test(command_line_is_padded),
        cmocka_unit_test(plan_is_sealed),
        cmocka_unit_test(all_content_makes_the_id),
        cmocka_unit_test(partition_leaves_room_for_the_loader),
        cmocka_unit_test(payloads_too_large_are_refused),
        cmocka_unit_test(image_is_whole),
        cmocka_unit_test(chs_of_large_partitions),
        cmocka_unit_test(disk_signature_is_never_0),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
