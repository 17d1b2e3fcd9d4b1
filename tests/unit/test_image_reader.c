/*
 * Reading images back: a sound one with every kind of record, then ones that another program made
 * wrong, all checksums right, and ones changed at random.
 */
#include "support.h"

#include "image.h"
#include "image_reader.h"
#include "inspect.h"
#include "verify.h"

#include "bootimage/bootinfo.h"
#include "core/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOADER_BYTES (4 * IMAGE_SECTOR_BYTES)
#define PLAN_LBA IMAGE_FIRST_PARTITION_LBA
#define PLAN_OFFSET (PLAN_LBA * IMAGE_SECTOR_BYTES)
#define PARTITION_SECTORS 8
#define SEGMENT_BYTES 600
#define MODULE_BYTES 5
#define MUTATIONS 5000

static uint8_t loader[LOADER_BYTES];
static uint8_t other_loader[LOADER_BYTES];
static uint8_t image[IMAGE_MINIMUM_BYTES];
static int file;
static char path[SUPPORT_PATH_BYTES];

/* Just one record of each kind; all sound but for their payloads and hashes. */
static struct {
    struct image_plan prefix;
    struct plan_protocol protocol;
    struct plan_region region;
    struct plan_segment segment;
    struct plan_mapping mapping;
    /* As struct plan_command_line and struct plan_module, whose texts have no size. */
    struct {
        struct plan_record record;
        uint64_t text_bytes;
        char text[8];
    } command_line;
    struct {
        struct plan_record record;
        uint64_t payload_offset;
        uint64_t bytes;
        uint64_t xxh64;
        uint32_t flags;
        uint32_t name_bytes;
        uint32_t arguments_bytes;
        uint32_t reserved;
        char text[8];
    } module;
    struct plan_request request;
    struct plan_tls tls;
    struct plan_relocations relocations;
    struct plan_random_base random_base;
    struct plan_record optional;
} records;

#define RECORD(kind, member)                                                                       \
    {                                                                                              \
        .type = (kind), .flags = PLAN_RECORD_REQUIRED, .bytes = sizeof(records.member)             \
    }
static void set_records(void)
{
    memset(&records, 0, sizeof(records));
    records.protocol = (struct plan_protocol){.record = RECORD(PLAN_PROTOCOL, protocol),
                                              .protocol = PLAN_PROTOCOL_PLAIN,
                                              .entry_vaddr = 0x101000,
                                              .stack_bytes = 0x10000,
                                              .slide = 0x1000};
    records.region = (struct plan_region){.record = RECORD(PLAN_REGION, region),
                                          .vaddr = 0x101000,
                                          .bytes = 0x2000,
                                          .paddr = PLAN_PADDR_ANYWHERE};
    records.segment = (struct plan_segment){.record = RECORD(PLAN_SEGMENT, segment),
                                            .payload_offset = 2 * IMAGE_SECTOR_BYTES,
                                            .file_bytes = SEGMENT_BYTES,
                                            .vaddr = 0x101010};
    records.mapping = (struct plan_mapping){
        .record = RECORD(PLAN_MAPPING, mapping), .vaddr = 0x101000, .bytes = 0x2000, .rights = 2};
    records.command_line.record = (struct plan_record)RECORD(PLAN_COMMAND_LINE, command_line);
    records.command_line.text_bytes = 4;
    memcpy(records.command_line.text, "a b", 4);
    records.module.record = (struct plan_record)RECORD(PLAN_MODULE, module);
    records.module.payload_offset = 5 * IMAGE_SECTOR_BYTES;
    records.module.bytes = MODULE_BYTES;
    records.module.name_bytes = 3;
    records.module.arguments_bytes = 2;
    memcpy(records.module.text, "mo\0x", 5);
    records.request =
        (struct plan_request){.record = RECORD(PLAN_REQUEST, request),
                              .type = BOOTINFO_REQUEST_STACK | BOOTINFO_REQUEST_OPTIONAL};
    records.tls = (struct plan_tls){.record = RECORD(PLAN_TLS, tls),
                                    .vaddr = 0x102000,
                                    .file_bytes = 16,
                                    .memory_bytes = 32,
                                    .align = 16};
    records.relocations = (struct plan_relocations){.record = RECORD(PLAN_RELOCATIONS, relocations),
                                                    .vaddr = 0x101800,
                                                    .bytes = 0x800,
                                                    .form = PLAN_RELOCATIONS_RELR};
    records.random_base = (struct plan_random_base){
        .record = RECORD(PLAN_RANDOM_BASE, random_base), .step_bytes = 0x200000, .places = 4096};
    records.optional = (struct plan_record){.type = 999, .bytes = sizeof(struct plan_record)};
}

/* Makes the image of the records with all hashes and sums right. */
static void seal(const uint8_t *stages)
{
    struct plan plan = {.loader = stages,
                        .loader_bytes = LOADER_BYTES,
                        .plan_lba = PLAN_LBA,
                        .partition_sectors = PARTITION_SECTORS,
                        .records_bytes = sizeof(records)};
    uint8_t *covered = malloc(sizeof(records) + LOADER_BYTES);

    records.segment.xxh64 = checksum_xxh64(image + PLAN_OFFSET + 2 * IMAGE_SECTOR_BYTES, 600);
    records.module.xxh64 = checksum_xxh64(image + PLAN_OFFSET + 5 * IMAGE_SECTOR_BYTES, 5);
    records.prefix = (struct image_plan){.magic = IMAGE_PLAN_MAGIC,
                                         .format_version = IMAGE_FORMAT_VERSION,
                                         .plan_bytes = sizeof(records),
                                         .partition_bytes = PARTITION_SECTORS * IMAGE_SECTOR_BYTES};
    assert_non_null(covered);
    memcpy(covered, &records, sizeof(records));
    memcpy(covered + sizeof(records), stages, LOADER_BYTES);
    plan.image_id = checksum_xxh64(covered, sizeof(records) + LOADER_BYTES);
    free(covered);
    records.prefix.image_id = plan.image_id;
    records.prefix.xxh64 = checksum_xxh64(&records, sizeof(records));

    struct image_mbr mbr;
    struct image_header header;
    memcpy(&mbr, stages, sizeof(mbr));
    image_fill_mbr(&mbr, &plan);
    image_fill_header(&header, &plan);
    memcpy(image, &mbr, sizeof(mbr));
    memcpy(image + sizeof(mbr), &header, sizeof(header));
    memcpy(image + 2 * IMAGE_SECTOR_BYTES, stages + 2 * IMAGE_SECTOR_BYTES,
           LOADER_BYTES - 2 * IMAGE_SECTOR_BYTES);
    memcpy(image + PLAN_OFFSET, &records, sizeof(records));
}

static int set_up(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    memset(loader, 0, sizeof(loader));
    for (size_t i = 0; i < IMAGE_STAGE1_BYTES; i++)
        loader[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 2 * IMAGE_SECTOR_BYTES; i < LOADER_BYTES; i++)
        loader[i] = (uint8_t)(i * 5 + 1);
    memcpy(other_loader, loader, sizeof(loader));
    other_loader[LOADER_BYTES - 1] ^= 1;
    memset(image + PLAN_OFFSET + 2 * IMAGE_SECTOR_BYTES, 0xA5, SEGMENT_BYTES);
    memset(image + PLAN_OFFSET + 5 * IMAGE_SECTOR_BYTES, 0x5A, MODULE_BYTES);
    set_records();
    return 0;
}

static int open_file(void **state)
{
    (void)state;
    file = support_temporary_file();
    snprintf(path, sizeof(path), "/dev/fd/%d", file);
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    return close(file);
}

static void put_image(size_t bytes)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, image, bytes, 0), bytes);
}

static bool verify(const uint8_t *own_loader, struct verify_result *result, struct error *error)
{
    static const size_t loader_bytes = LOADER_BYTES;
    const struct verify_loader loaders[] = {{own_loader, &loader_bytes}, {NULL, NULL}};

    return verify_image(path, loaders, result, error);
}

/* The image is refused by a message that ends like this. */
static void assert_refused(const uint8_t *own_loader, const char *part, const char *name)
{
    struct verify_result result;
    struct error error = {0};

    put_image(sizeof(image));
    assert_false(verify(own_loader, &result, &error));
    assert_non_null(error.text);
    if (!strstr(error.text, part) || !strstr(error.text, name))
        fail_msg("%s: %s is expected, %s", error.text, part, name);
    error_free(&error);
}

static void sound_image_is_verified(void **state)
{
    struct verify_result result;
    struct error error = {0};

    (void)state;
    seal(loader);
    put_image(sizeof(image));
    assert_true(verify(loader, &result, &error));
    assert_null(error.text);
    assert_true(result.own_loader);
    assert_int_equal(result.checked_bytes, IMAGE_MINIMUM_BYTES);
    assert_int_equal(result.segment_count, 1);
    assert_int_equal(result.module_count, 1);
    assert_true(verify(other_loader, &result, &error));
    assert_false(result.own_loader);
}

/* Of a loader that this tool does not have, only sums are known. */
static void loader_of_another_version_is_checked(void **state)
{
    (void)state;
    seal(loader);
    image[100] ^= 1;
    assert_refused(loader, "stage 1 (LBA 0) is damaged: byte 0x64 ", "[image-byte]");
    assert_refused(other_loader, "stage 1 (bytes 0x0 to 0x1b7) ", "[image-checksum]");
    image[100] ^= 1;
    image[3 * IMAGE_SECTOR_BYTES] ^= 1;
    assert_refused(loader, "stage 2 is damaged: byte 0x600 ", "[image-byte]");
    assert_refused(other_loader, "stage 2 (bytes 0x400 to 0x7ff) ", "[image-checksum]");
}

static void every_record_is_told(void **state)
{
    struct error error = {0};
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);

    (void)state;
    assert_non_null(memory);
    seal(loader);
    put_image(sizeof(image));
    assert_true(inspect_image(path, false, memory, &error));
    fclose(memory);
    static const char *const lines[] = {
        "\nprotocol        plain (1)\nentry           0x101000\nstack           65536 bytes\n",
        "\nslide           0x1000\nrandom base     4096 places, 0x200000 apart\n",
        "\ncommand line    a b\nrequest         stack (2) 0x0, optional, cannot be met\n",
        "\nregion          [0x101000, 0x103000) at any physical address\n",
        "\n  segment       r-x at 0x101010, program header 0, 600 bytes at LBA 66, XXH64 0x",
        "\n  mapping       r-x [0x101000, 0x103000) 8192 bytes\n",
        "\nrelocations     relr at 0x101800, 2048 bytes\n",
        "\nTLS             16 bytes at 0x102000, then zeros up to 32, align 16\n",
        "\nmodule          mo, arguments x, 5 bytes at LBA 69, XXH64 0x",
        "\n  plan          LBA 64, ",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr(text, lines[i]))
            fail_msg("%s is not in %s", lines[i], text);
    }
    free(text);
}

/* One field at a time gets a value that cannot be. */
static void senseless_records_are_refused(void **state)
{
#define WRONG(field, value, name)                                                                  \
    do {                                                                                           \
        set_up(state);                                                                             \
        records.field = (value);                                                                   \
        seal(loader);                                                                              \
        assert_refused(loader, "plan", name);                                                      \
    } while (0)

    WRONG(protocol.stack_bytes, 0, "[plan-record]");
    WRONG(protocol.stack_bytes, 1, "[plan-record]");
    WRONG(protocol.stack_bytes, 0x40001000, "[plan-record]");
    WRONG(protocol.entry_vaddr, 0x103000, "[plan-entry]");
    WRONG(mapping.rights, PLAN_WRITABLE, "[plan-entry]");
    WRONG(mapping.rights, 4, "[plan-record]");
    WRONG(region.flags, 4, "[plan-record]");
    WRONG(module.flags, 2, "[plan-record]");
    WRONG(request.met, 2, "[plan-record]");
    /* Of the same size: a region that lies in the other one. */
    WRONG(tls.record.type, PLAN_REGION, "[plan-record]");
    WRONG(protocol.record.type, 998, "[plan-record-unknown]");
    WRONG(protocol.record.bytes, 0, "[plan-record-size]");
    WRONG(protocol.record.bytes, 36, "[plan-record-size]");
    WRONG(protocol.record.bytes, 48, "[plan-record-size]");
    WRONG(optional.bytes, 16, "[plan-record-size]");
    WRONG(region.record.type, PLAN_PROTOCOL, "[plan-record]");
    WRONG(region.vaddr, 0x101001, "[plan-record]");
    WRONG(region.vaddr, UINT64_MAX - 0xfff, "[plan-record]");
    WRONG(region.bytes, 0, "[plan-record]");
    WRONG(region.bytes, 1, "[plan-record]");
    WRONG(region.paddr, 1, "[plan-record]");
    WRONG(segment.vaddr, 0x100fff, "[plan-record]");
    WRONG(segment.vaddr, 0x103000, "[plan-record]");
    WRONG(segment.file_bytes, UINT64_MAX, "[plan-record]");
    WRONG(segment.payload_offset, 513, "[plan-record]");
    WRONG(segment.payload_offset, 0, "[plan-record]");
    WRONG(segment.payload_offset, PARTITION_SECTORS * 512, "[plan-record]");
    WRONG(segment.payload_offset, UINT64_MAX - 511, "[plan-record]");
    WRONG(mapping.bytes, 0, "[plan-record]");
    WRONG(mapping.bytes, 0x3000, "[plan-record]");
    WRONG(command_line.text_bytes, 0, "[plan-record]");
    WRONG(command_line.text_bytes, 5, "[plan-record]");
    WRONG(command_line.text_bytes, 9, "[plan-record]");
    WRONG(command_line.text[1], 0, "[plan-record]");
    WRONG(module.bytes, UINT64_MAX, "[plan-record]");
    WRONG(module.name_bytes, 0, "[plan-record]");
    WRONG(module.name_bytes, UINT32_MAX, "[plan-record]");
    WRONG(module.arguments_bytes, 3, "[plan-record]");
    WRONG(module.arguments_bytes, UINT32_MAX, "[plan-record]");
    WRONG(tls.align, 0, "[plan-record]");
    WRONG(tls.align, 3, "[plan-record]");
    WRONG(tls.file_bytes, 33, "[plan-record]");
    WRONG(tls.vaddr, 0x102ff8, "[plan-record]");
    WRONG(relocations.form, 3, "[plan-record]");
    WRONG(relocations.bytes, 0x2000, "[plan-record]");
    WRONG(random_base.step_bytes, 0x100, "[plan-record]");
    WRONG(random_base.places, 0, "[plan-record]");
    set_up(state);
    records.protocol.record.type = 998;
    records.protocol.record.flags = 0;
    seal(loader);
    assert_refused(loader, "plan", "[plan-entry]");
    set_up(state);
    records.module.bytes = 0;
    seal(loader);
    assert_refused(loader, "module 0 is empty", "[plan-empty-hash]");
}

/* The header's fields, its checksum right. */
static void senseless_headers_are_refused(void **state)
{
    static const struct {
        size_t offset;
        uint64_t value;
        const char *name;
    } cases[] = {
        {offsetof(struct image_header, format_version), 2, "[image-version]"},
        {offsetof(struct image_header, image_sectors), 64, "[image-header]"},
        {offsetof(struct image_header, image_sectors), UINT64_MAX, "[image-header]"},
        {offsetof(struct image_header, image_sectors), 1 << 20, "[image-truncated]"},
        {offsetof(struct image_header, plan_lba), 56, "[image-header]"},
        {offsetof(struct image_header, plan_lba), 65, "[image-header]"},
        {offsetof(struct image_header, plan_lba), UINT64_MAX - 7, "[image-header]"},
        {offsetof(struct image_header, plan_bytes), 0, "[image-header]"},
        {offsetof(struct image_header, plan_bytes), 65, "[image-header]"},
        {offsetof(struct image_header, plan_bytes), 8 * 512, "[image-header]"},
        {offsetof(struct image_header, plan_bytes), UINT64_MAX - 7, "[image-header]"},
        {offsetof(struct image_header, stage2_sectors), 0, "[image-header]"},
        {offsetof(struct image_header, stage2_sectors), 63, "[image-header]"},
        {offsetof(struct image_header, stage2_sectors), UINT32_MAX, "[image-header]"},
        {offsetof(struct image_header, reserved), 1, "[image-byte]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *header = image + IMAGE_SECTOR_BYTES;
        size_t width = cases[i].offset == offsetof(struct image_header, format_version) ||
                               cases[i].offset == offsetof(struct image_header, stage2_sectors)
                           ? 4
                           : 8;

        seal(loader);
        memcpy(header + cases[i].offset, &cases[i].value, width);
        memset(header + offsetof(struct image_header, crc32), 0, 4);
        uint32_t crc32 = checksum_crc32(header, IMAGE_SECTOR_BYTES);
        memcpy(header + offsetof(struct image_header, crc32), &crc32, 4);
        assert_refused(loader, path, cases[i].name);
    }
}

/* Either it is sound, or there is a message; and inspect takes what it gets. */
static void look_at(void)
{
    struct verify_result result;
    struct error error = {0};

    bool sound = verify(loader, &result, &error);
    assert_int_equal(sound, error.text == NULL);
    error_free(&error);
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    bool told = inspect_image(path, true, nowhere, &error);
    assert_int_equal(told, error.text == NULL);
    assert_true(told || !sound);
    error_free(&error);
    fclose(nowhere);
}

static void changed_images_do_no_harm(void **state)
{
    (void)state;
    put_image(sizeof(image));
    srand(1);
    for (int i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = (uint8_t *)&records + sizeof(records.prefix);
        size_t count = sizeof(records) - sizeof(records.prefix);

        set_records();
        for (int j = rand() % 3; j >= 0; j--)
            bytes[(size_t)rand() % count] = (uint8_t)(rand() % 2 ? rand() : rand() % 4 * 0x55);
        seal(loader);
        if (i % 4 == 0)
            image[(size_t)rand() % 2048] ^= (uint8_t)(1 << rand() % 8);
        /* Behind this, all is 0. */
        assert_int_equal(pwrite(file, image, PLAN_OFFSET + 8192, 0), PLAN_OFFSET + 8192);
        look_at();
    }
}

static void truncated_images_do_no_harm(void **state)
{
    (void)state;
    seal(loader);
    for (size_t bytes = 0; bytes < sizeof(image); bytes += bytes < 2048 ? 97 : 9973) {
        struct verify_result result;
        struct error error = {0};

        put_image(bytes);
        assert_false(verify(loader, &result, &error));
        assert_non_null(strstr(error.text, bytes < 512 ? "[image-unknown]" : "[image-truncated]"));
        error_free(&error);
        look_at();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sound_image_is_verified, set_up),
        cmocka_unit_test_setup(loader_of_another_version_is_checked, set_up),
        cmocka_unit_test_setup(every_record_is_told, set_up),
        cmocka_unit_test_setup(senseless_records_are_refused, set_up),
        cmocka_unit_test_setup(senseless_headers_are_refused, set_up),
        cmocka_unit_test_setup(changed_images_do_no_harm, set_up),
        cmocka_unit_test_setup(truncated_images_do_no_harm, set_up),
    };

    return cmocka_run_group_tests(tests, open_file, close_file);
}
