/*
 * Plans with random damage and a checksum that agrees with it, as a defective tool would write
 * them: each is refused by name, or it is sound enough that the boot stays within its memory.
 */
#include "loader.h"

#include "errors.h"
#include "fake_firmware.h"
#include "plan_builder.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000
#define MOST_CHANGES 3
#define PAGE 0x1000ull
#define HIGH_VADDR 0xffffffff80000000ull

static struct plan_builder builder;
static struct firmware_boot boot;

static void build(uint32_t protocol)
{
    static const uint8_t data[0x1800] = {1, 2, 3};

    builder_start(&builder);
    builder_protocol(&builder, HIGH_VADDR)->protocol = protocol;
    builder_region(&builder, FAKE_RAM_PADDR + 0x200000, 0x3000, FAKE_RAM_PADDR + 0x200000)->flags =
        0;
    builder_segment(&builder, FAKE_RAM_PADDR + 0x201000, data, 0x1000);
    builder_mapping(&builder, FAKE_RAM_PADDR + 0x200000, 0x3000, PLAN_WRITABLE);
    builder_region(&builder, HIGH_VADDR, 0x10000, PLAN_PADDR_ANYWHERE);
    builder_segment(&builder, HIGH_VADDR, data, sizeof(data));
    builder_segment(&builder, HIGH_VADDR + 0x2345, data, 0x345);
    builder_segment(&builder, HIGH_VADDR + 0x3000, data, 0);
    builder_mapping(&builder, HIGH_VADDR, 0x2000, PLAN_EXECUTABLE);
    builder_mapping(&builder, HIGH_VADDR + 0x2000, 0xe000, PLAN_WRITABLE);
    builder_region(&builder, 0 - 0x4000ull, 0x4000, FAKE_RAM_PADDR);
    builder_segment(&builder, 0 - 0x4000ull, data, 0x1000);
    builder_segment(&builder, 0 - 0x1000ull, data, 0x1000);
    builder_mapping(&builder, 0 - 0x2000ull, 0x2000, 0);
    builder_command_line(&builder, "quiet");
    builder_module(&builder, "init", "", data, 0x1234);
    builder_module(&builder, "", "a b", data, 0);
    builder_module(&builder, "kernel", "", data, 0x200)->flags = PLAN_MODULE_KERNEL_FILE;
    builder_request(&builder, BOOTINFO_REQUEST_MAP, 0xffffa00000000000, 0xfed00000, 2 * PAGE,
                    BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED);
    builder_request(&builder, BOOTINFO_REQUEST_RECURSIVE, 400, 0, 0, 0);
    builder_request(&builder, BOOTINFO_REQUEST_MEMORY | BOOTINFO_REQUEST_OPTIONAL, PAGE, 0, 0, 0);
    builder_tls(&builder, HIGH_VADDR + 0x100, 0x40);
    struct plan_patches *patches =
        builder_add(&builder, PLAN_PATCHES, sizeof(*patches) + 2 * sizeof(struct plan_patch));
    patches->count = 2;
    patches->patches[0] = (struct plan_patch){HIGH_VADDR + 0x2000, HIGH_VADDR};
    patches->patches[1] = (struct plan_patch){HIGH_VADDR + 0xfff8, 1};
    struct plan_limine *limine = builder_limine(&builder, 3, LIMINE_FEATURES - 1);
    for (uint32_t i = 0; i < limine->count; i++)
        limine->requests[i] = (struct plan_limine_request){HIGH_VADDR + 0x2000 + 48 * i, i + 1, 0};
    builder_finish(&builder);
    boot = builder_boot(&builder);
}

/* A number that a check may trip over. */
static uint64_t awkward(struct random *random)
{
    static const uint64_t numbers[] = {
        0,
        1,
        7,
        8,
        511,
        512,
        PAGE - 1,
        PAGE,
        PAGE + 1,
        0x4000,
        0xfffff000,
        0x100000000,
        1ull << 47,
        HIGH_VADDR,
        0 - 0x4000ull,
        0 - 2 * PAGE,
        0 - PAGE,
        0 - 0x200ull,
        UINT64_MAX - 7,
        UINT64_MAX,
    };

    return numbers[random_below(random, sizeof(numbers) / sizeof(numbers[0]))];
}

static void damage(struct random *random)
{
    uint64_t plan_bytes = boot.plan_bytes;
    unsigned int changes = 1 + random_below(random, MOST_CHANGES);

    for (unsigned int i = 0; i < changes; i++) {
        uint8_t *at = builder.partition + random_below(random, (unsigned int)plan_bytes);
        uint8_t *field = builder.partition + random_below(random, (unsigned int)plan_bytes / 8) * 8;
        uint64_t number = awkward(random);

        if (random_below(random, 4)) /* not so often the prefix */
            field =
                field < (uint8_t *)(builder.prefix + 1) ? field + sizeof(*builder.prefix) : field;
        switch (random_below(random, 4)) {
        case 0:
            *at ^= (uint8_t)(1 << random_below(random, 8));
            break;
        case 1:
            *at = (uint8_t)random_bits(random);
            break;
        case 2:
            memcpy(field, &number, sizeof(number));
            break;
        default: /* a number of another field */
            memcpy(field,
                   builder.partition + random_below(random, (unsigned int)plan_bytes / 8) * 8, 8);
            break;
        }
    }
}

static void boot_it(void *argument)
{
    (void)argument;
    loader_main(&boot);
}

/* Is [start, start + bytes) within [outer, outer + outer_bytes)? Without a sum that could wrap. */
static bool is_within(uint64_t start, uint64_t bytes, uint64_t outer, uint64_t outer_bytes)
{
    return start - outer <= outer_bytes && bytes <= outer_bytes - (start - outer);
}

/* Every record of a plan that was booted. */
static void check_accepted(void)
{
    const struct plan_region *region = NULL;

    for (uint64_t at = sizeof(struct image_plan); at < boot.plan_bytes;) {
        const struct plan_record *record = (const void *)(builder.partition + at);
        const struct plan_segment *segment = (const void *)record;
        const struct plan_mapping *mapping = (const void *)record;

        assert_true(record->bytes >= 8 && record->bytes <= boot.plan_bytes - at);
        if (record->type == PLAN_REGION) {
            region = (const void *)record;
            assert_int_not_equal(region->bytes, 0);
            assert_int_equal((region->vaddr | region->bytes) % PAGE, 0);
            assert_true(region->bytes <= FAKE_RAM_BYTES);
        } else if (record->type == PLAN_SEGMENT) {
            assert_non_null(region);
            assert_true(
                is_within(segment->vaddr, segment->file_bytes, region->vaddr, region->bytes));
            assert_true(is_within(segment->payload_offset, segment->file_bytes, 0,
                                  builder.prefix->partition_bytes));
        } else if (record->type == PLAN_MAPPING) {
            assert_non_null(region);
            assert_true(is_within(mapping->vaddr, mapping->bytes, region->vaddr, region->bytes));
        }
        at += record->bytes;
    }
}

/* What became of all rounds. */
struct tally {
    unsigned int entered, errors[32];
};

static struct tally attack(uint64_t seed, unsigned int rounds)
{
    struct random random = {seed};
    struct tally tally = {0};
    size_t partition_bytes = builder.payload_end;
    uint8_t *whole = malloc(partition_bytes);
    memcpy(whole, builder.partition, partition_bytes);

    for (unsigned int round = 0; round < rounds; round++) {
        memcpy(builder.partition, whole, boot.plan_bytes);
        damage(&random);
        if (builder.prefix->plan_bytes == boot.plan_bytes) /* else there is nothing to sum */
            builder_sum(&builder);
        if (fake_run(boot_it, NULL) == FAKE_ENTERED) {
            tally.entered++;
            check_accepted();
        } else {
            assert_in_range(fake_error(), ERROR_DISK_READ, ERROR_BIOS_ONLY);
            tally.errors[fake_error()]++;
        }
    }
    free(whole);
    return tally;
}

static void damaged_plans_do_no_harm(void **state)
{
    static const uint32_t protocols[] = {PLAN_PROTOCOL_PLAIN, PLAN_PROTOCOL_LIMINE};

    (void)state;
    for (uint64_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        fake_start();
        build(protocols[i]);
        const struct tally tally = attack(14 + i, ROUNDS);

        /* The damage has been neither too rough nor too mild to say anything. */
        assert_in_range(tally.entered, ROUNDS / 20, ROUNDS / 2);
        assert_true(tally.errors[ERROR_PLAN_DAMAGED] > ROUNDS / 5);
        assert_true(tally.errors[ERROR_PLAN_UNKNOWN] > 20);
        assert_true(tally.errors[ERROR_NO_MEMORY] > 2);
        assert_true(tally.errors[ERROR_PAYLOAD_DAMAGED] > 20);
    }
}

static void damaged_plans_without_paging_do_no_harm(void **state)
{
    static const uint32_t protocols[] = {PLAN_PROTOCOL_PLAIN32, PLAN_PROTOCOL_MULTIBOOT1,
                                         PLAN_PROTOCOL_MULTIBOOT2, PLAN_PROTOCOL_PVH,
                                         PLAN_PROTOCOL_LINUX};
    const unsigned int rounds = ROUNDS / 4;

    (void)state;
    for (uint64_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        fake_start();
        builder_start(&builder);
        builder_physical(&builder, protocols[i]);
        if (protocols[i] == PLAN_PROTOCOL_MULTIBOOT2) {
            struct plan_extent *extent = builder_add(&builder, PLAN_EXTENT, sizeof(*extent));

            extent->least_paddr = FAKE_RAM_PADDR;
            extent->most_paddr = FAKE_RAM_END - 1;
            extent->align = PAGE;
        }
        builder_finish(&builder);
        boot = builder_boot(&builder);
        const struct tally tally = attack(i + 1, rounds);
        assert_in_range(tally.entered, rounds / 20, rounds / 2);
        assert_true(tally.errors[ERROR_PLAN_DAMAGED] > rounds / 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_plans_do_no_harm),
                                       cmocka_unit_test(damaged_plans_without_paging_do_no_harm)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
