/*
 * The plan: accepted when it is sound, and refused by name for each way in which it can be wrong.
 */
#include "plan.h"

#include "errors.h"
#include "fake_firmware.h"
#include "memory_map.h"
#include "plan_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VADDR 0xffffffff80000000ull
#define LAST_PAGE 0xfffffffffffff000ull
#define REGION_BYTES 0x4000ull
#define DATA_BYTES 1000
#define MAP_VADDR 0xffffa00000000000ull

/* A plan with one record of each kind and two regions, for a test to spoil. */
static struct {
    struct plan_builder builder;
    struct firmware_boot boot;
    struct plan_protocol *protocol;
    struct plan_region *region;
    struct plan_segment *segments[2];
    struct plan_mapping *mappings[2];
    struct plan_region *other;
    struct plan_command_line *line;
    struct plan_module *module;
    struct plan_request *request;
    struct plan_tls *tls;
    struct plan_relocations *relocations;
    struct plan_random_base *base;
    struct memory_map map;
    struct plan plan;
} test;

static int set_up(void **state)
{
    struct plan_builder *builder = &test.builder;
    static const uint8_t data[DATA_BYTES] = {1, 2, 3};

    (void)state;
    builder_start(builder);
    test.protocol = builder_protocol(builder, VADDR);
    test.other = builder_region(builder, 0x400000, REGION_BYTES, PLAN_PADDR_ANYWHERE);
    test.region = builder_region(builder, VADDR, REGION_BYTES, FAKE_RAM_PADDR);
    test.segments[0] = builder_segment(builder, VADDR + 0x10, data, DATA_BYTES);
    test.segments[1] = builder_segment(builder, VADDR + 0x1800, data, DATA_BYTES);
    test.mappings[0] = builder_mapping(builder, VADDR, 0x1000, PLAN_EXECUTABLE);
    test.mappings[1] = builder_mapping(builder, VADDR + 0x1000, 0x2000, PLAN_WRITABLE);
    test.line = builder_command_line(builder, "quiet");
    test.module = builder_module(builder, "init", "a=1", data, DATA_BYTES);
    test.request = builder_request(builder, BOOTINFO_REQUEST_MAP, MAP_VADDR, 0xfed00000, 0x2000,
                                   BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED);
    test.tls = builder_tls(builder, VADDR + 0x1800, 0x80);
    test.relocations = builder_add(builder, PLAN_RELOCATIONS, sizeof(*test.relocations));
    test.relocations->vaddr = VADDR + 0x18;
    test.relocations->bytes = 48;
    test.relocations->form = PLAN_RELOCATIONS_RELA;
    test.base = builder_add(builder, PLAN_RANDOM_BASE, sizeof(*test.base));
    test.base->step_bytes = 0x200000;
    test.base->places = 0x7ff00000 / 0x200000;
    builder_finish(builder);
    test.boot = builder_boot(builder);
    return 0;
}

static void read_plan(void *argument)
{
    (void)argument;
    firmware_memory_map(&test.map);
    memory_map_align(&test.map);
    plan_read(&test.plan, &test.boot, &test.map);
}

/* The plan as it is on the disk; 0: accepted. */
static unsigned int error_unsummed(void)
{
    enum fake_end end = fake_run(read_plan, NULL);

    assert_int_equal(end, fake_error() ? FAKE_STOPPED : FAKE_RETURNED);
    return fake_error();
}

/* ... with the checksum it should have. */
static unsigned int error(void)
{
    builder_sum(&test.builder);
    return error_unsummed();
}

#define ASSERT_DAMAGED(field, value)                                                               \
    do {                                                                                           \
        set_up(state);                                                                             \
        (field) = (value);                                                                         \
        assert_int_equal(error(), ERROR_PLAN_DAMAGED);                                             \
    } while (0)
#define ASSERT_SOUND(field, value)                                                                 \
    do {                                                                                           \
        set_up(state);                                                                             \
        (field) = (value);                                                                         \
        assert_int_equal(error(), 0);                                                              \
    } while (0)

static void a_sound_plan_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(error(), 0);
    assert_int_equal(test.plan.lba, BUILDER_PLAN_LBA);
    assert_int_equal(test.plan.bytes, test.builder.prefix->plan_bytes);
    assert_false(memory_map_is_free(&test.map, (uintptr_t)test.plan.prefix, test.plan.bytes));
    assert_memory_equal(test.plan.prefix + 1, test.builder.prefix + 1,
                        test.plan.bytes - sizeof(struct image_plan));
}

static void records_are_walked_in_order(void **state)
{
    static const uint16_t types[] = {
        PLAN_PROTOCOL, PLAN_REGION,      PLAN_REGION,       PLAN_SEGMENT, PLAN_SEGMENT,
        PLAN_MAPPING,  PLAN_MAPPING,     PLAN_COMMAND_LINE, PLAN_MODULE,  PLAN_REQUEST,
        PLAN_TLS,      PLAN_RELOCATIONS, PLAN_RANDOM_BASE,
    };
    const struct plan_record *record = NULL, *region;

    (void)state;
    assert_int_equal(error(), 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        record = plan_next(&test.plan, record);
        assert_non_null(record);
        assert_int_equal(record->type, types[i]);
    }
    assert_null(plan_next(&test.plan, record));

    region = plan_find(&test.plan, NULL, PLAN_REGION);
    assert_int_equal(((const struct plan_region *)region)->vaddr, 0x400000);
    region = plan_find(&test.plan, region, PLAN_REGION);
    assert_int_equal(((const struct plan_region *)region)->vaddr, VADDR);
    assert_null(plan_find(&test.plan, region, PLAN_REGION));
    assert_null(plan_find(&test.plan, record, PLAN_PROTOCOL));
}

static void the_memory_of_a_plan_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(error(), 0);
    plan_free(&test.plan, &test.map);
    assert_true(memory_map_is_free(&test.map, FAKE_RAM_PADDR, FAKE_RAM_BYTES));
}

/* Without a new checksum, every bit counts. */
static void the_checksum_covers_every_bit(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < test.builder.prefix->plan_bytes; at++) {
        unsigned int wanted = ERROR_PLAN_DAMAGED;

        if (at - offsetof(struct image_plan, format_version) < 4)
            wanted = ERROR_PLAN_UNKNOWN;
        for (int bit = 0; bit < 8; bit++) {
            test.builder.partition[at] ^= (uint8_t)(1 << bit);
            assert_int_equal(error_unsummed(), wanted);
            test.builder.partition[at] ^= (uint8_t)(1 << bit);
        }
    }
    assert_int_equal(error_unsummed(), 0);
}

static void the_prefix_must_fit_the_image(void **state)
{
    ASSERT_DAMAGED(test.builder.prefix->magic[7], 'X');
    ASSERT_DAMAGED(test.builder.prefix->image_id, BUILDER_IMAGE_ID + 1);
    ASSERT_DAMAGED(test.builder.prefix->partition_bytes, test.builder.prefix->plan_bytes - 1);
    ASSERT_DAMAGED(test.boot.image_id, 0);
    ASSERT_DAMAGED(test.boot.plan_lba, BUILDER_PLAN_LBA + 1);
    ASSERT_DAMAGED(test.boot.plan_lba, UINT64_MAX);
    ASSERT_DAMAGED(test.boot.plan_bytes, test.boot.plan_bytes + 8);
    ASSERT_DAMAGED(test.boot.plan_bytes, test.boot.plan_bytes - 8);
    ASSERT_DAMAGED(test.boot.plan_bytes, sizeof(struct image_plan) - 1);
    ASSERT_DAMAGED(test.boot.plan_bytes, 0);

    set_up(state);
    test.builder.prefix->format_version++;
    assert_int_equal(error(), ERROR_PLAN_UNKNOWN);

    set_up(state);
    test.boot.plan_bytes = UINT64_MAX;
    assert_int_equal(error(), ERROR_NO_MEMORY);
}

/* Both ends of the plan agree on its length, and no record does. From the mappings on, a plan that
   ends between two records is whole. */
static void a_plan_may_not_end_in_a_record(void **state)
{
    const struct plan_record *const records[] = {
        &test.mappings[1]->record, &test.line->record, &test.module->record,
        &test.request->record,     &test.tls->record,  &test.relocations->record,
        &test.base->record,
    };
    uint64_t whole = test.builder.prefix->plan_bytes;

    for (uint64_t bytes = 0; bytes < whole; bytes++) {
        bool is_between = false;

        set_up(state);
        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
            is_between |= bytes == (uint64_t)((const uint8_t *)records[i] - test.builder.partition);
        test.builder.prefix->plan_bytes = bytes;
        test.boot.plan_bytes = bytes;
        assert_int_equal(error(), is_between ? 0 : ERROR_PLAN_DAMAGED);
    }
}

static void records_have_the_length_of_their_type(void **state)
{
    struct plan_record *const records[] = {
        &test.protocol->record,    &test.region->record,  &test.segments[0]->record,
        &test.mappings[0]->record, &test.other->record,   &test.line->record,
        &test.module->record,      &test.request->record, &test.tls->record,
        &test.relocations->record, &test.base->record,
    };

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        static const uint32_t lengths[] = {0, 1, 4, 7, 8, 15, UINT32_MAX - 7, UINT32_MAX};
        uint32_t bytes = records[i]->bytes;

        for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++)
            ASSERT_DAMAGED(records[i]->bytes, lengths[k]);
        ASSERT_DAMAGED(records[i]->bytes, bytes + 4);
        ASSERT_DAMAGED(records[i]->bytes, bytes + 8);
        ASSERT_DAMAGED(records[i]->bytes, bytes - 8);
    }
}

static void unknown_records_are_refused_if_required(void **state)
{
    static const uint16_t types[] = {0, 18, 31, 32, 99, UINT16_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        set_up(state);
        struct plan_record *record = builder_add(&test.builder, types[i], 24);
        builder_finish(&test.builder);
        test.boot = builder_boot(&test.builder);
        assert_int_equal(error(), ERROR_PLAN_UNKNOWN);
        record->flags = 0;
        assert_int_equal(error(), 0);
        record->flags = UINT16_MAX & ~PLAN_RECORD_REQUIRED;
        assert_int_equal(error(), 0);
    }
}

static void there_is_one_protocol(void **state)
{
    ASSERT_DAMAGED(test.protocol->stack_bytes, 0);
    ASSERT_DAMAGED(test.protocol->stack_bytes, BUILDER_STACK_BYTES + 8);
    set_up(state);
    ASSERT_SOUND(test.protocol->stack_bytes, 0x40000000);
    ASSERT_DAMAGED(test.protocol->stack_bytes, 0x40001000);
    set_up(state);
    test.protocol->record = (struct plan_record){99, 0, sizeof(struct plan_protocol)};
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
    set_up(state);
    builder_protocol(&test.builder, VADDR);
    builder_finish(&test.builder);
    test.boot = builder_boot(&test.builder);
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
}

static void there_is_at_most_one_command_line(void **state)
{
    uint64_t room = test.line->record.bytes - sizeof(struct plan_command_line);

    ASSERT_SOUND(test.line->text_bytes, room); /* its end is 0, too */
    ASSERT_DAMAGED(test.line->text_bytes, 0);
    ASSERT_DAMAGED(test.line->text_bytes, 5);
    ASSERT_DAMAGED(test.line->text_bytes, room + 1);
    ASSERT_DAMAGED(test.line->text_bytes, UINT64_MAX);
    set_up(state);
    builder_command_line(&test.builder, "again");
    builder_finish(&test.builder);
    test.boot = builder_boot(&test.builder);
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
}

static void regions_are_pages(void **state)
{
    ASSERT_SOUND(test.other->vaddr, 0);
    ASSERT_DAMAGED(test.other->vaddr, 0x400800);
    ASSERT_DAMAGED(test.other->bytes, 0);
    ASSERT_DAMAGED(test.other->bytes, 0x3fff);
    ASSERT_DAMAGED(test.other->bytes, UINT64_MAX);
    ASSERT_DAMAGED(test.other->bytes, 0 - test.other->vaddr);
    ASSERT_DAMAGED(test.other->bytes, 0 - test.other->vaddr + 0x1000);
}

static void regions_are_sorted_and_share_no_page(void **state)
{
    ASSERT_SOUND(test.other->vaddr, VADDR - REGION_BYTES);
    ASSERT_DAMAGED(test.other->vaddr, VADDR - REGION_BYTES + 0x1000);
    ASSERT_DAMAGED(test.other->vaddr, VADDR);
    ASSERT_DAMAGED(test.other->vaddr, VADDR + REGION_BYTES);
    ASSERT_DAMAGED(test.other->vaddr, 0 - REGION_BYTES);
}

/* Neither half of the address space may be left. */
static void regions_have_canonical_addresses(void **state)
{
    const uint64_t low_end = 1ull << 47, high = 0 - low_end;

    ASSERT_SOUND(test.other->vaddr, high);
    ASSERT_DAMAGED(test.other->vaddr, high - 0x1000);
    ASSERT_DAMAGED(test.other->vaddr, high - REGION_BYTES);
    for (size_t i = 0; i < 4; i++) {
        set_up(state);
        test.base->places = 1;
        test.other->vaddr = low_end - REGION_BYTES + (i & 1) * 0x1000;
        /* With 5 levels there are 512 times as many. */
        *test.request = (struct plan_request){
            test.request->record, BOOTINFO_REQUEST_LEVELS, 1, {i & 2 ? 5 : 4, 0, 0, 0}};
        assert_int_equal(error(), i == 1 ? ERROR_PLAN_DAMAGED : 0);
        test.request->type |= BOOTINFO_REQUEST_OPTIONAL;
        assert_int_equal(error(), i & 1 ? ERROR_PLAN_DAMAGED : 0);
    }
}

static void regions_keep_off_the_stack(void **state)
{
    const uint64_t guard = BOOTINFO_STACK_TOP - BUILDER_STACK_BYTES - 0x1000;

    ASSERT_SOUND(test.other->vaddr, BOOTINFO_STACK_TOP);
    ASSERT_DAMAGED(test.other->vaddr, BOOTINFO_STACK_TOP - 0x1000);
    ASSERT_DAMAGED(test.other->vaddr, guard);
    ASSERT_DAMAGED(test.other->vaddr, guard - REGION_BYTES + 0x1000);
    ASSERT_SOUND(test.other->vaddr, guard - REGION_BYTES);
}

static void a_random_base_moves_no_region_out(void **state)
{
    const uint64_t most = (0 - REGION_BYTES - VADDR) / 0x200000;

    ASSERT_SOUND(test.base->places, 1);
    ASSERT_SOUND(test.base->places, most + 1);
    ASSERT_DAMAGED(test.base->places, most + 2);
    ASSERT_DAMAGED(test.base->places, 0);
    ASSERT_DAMAGED(test.base->places, UINT64_MAX);
    ASSERT_DAMAGED(test.base->step_bytes, 0);
    ASSERT_DAMAGED(test.base->step_bytes, 0x200800);
    ASSERT_DAMAGED(test.base->step_bytes, 0 - 0x1000ull);
}

static void the_entry_can_be_executed(void **state)
{
    ASSERT_SOUND(test.protocol->entry_vaddr, VADDR + 0xfff);
    ASSERT_DAMAGED(test.protocol->entry_vaddr, VADDR + 0x1000);
    ASSERT_DAMAGED(test.protocol->entry_vaddr, VADDR - 1);
    ASSERT_DAMAGED(test.protocol->entry_vaddr, 0x400000);
    ASSERT_DAMAGED(test.mappings[0]->rights, PLAN_WRITABLE);
    ASSERT_SOUND(test.mappings[0]->rights, PLAN_WRITABLE | PLAN_EXECUTABLE);
}

#define ASSERT_UNKNOWN(field, value)                                                               \
    do {                                                                                           \
        set_up(state);                                                                             \
        (field) = (value);                                                                         \
        assert_int_equal(error(), ERROR_PLAN_UNKNOWN);                                             \
    } while (0)

static void unknown_flags_are_refused(void **state)
{
    ASSERT_UNKNOWN(test.region->flags, PLAN_REGION_MOVABLE | 4);
    ASSERT_UNKNOWN(test.region->flags, 1u << 31);
    ASSERT_UNKNOWN(test.mappings[1]->rights, 4);
    ASSERT_UNKNOWN(test.module->flags, 2);
    ASSERT_UNKNOWN(test.relocations->form, 0);
    ASSERT_UNKNOWN(test.relocations->form, 3);
}

static void modules_lie_in_the_payload(void **state)
{
    uint64_t end = test.builder.prefix->partition_bytes;

    ASSERT_SOUND(test.module->bytes, 0);
    ASSERT_SOUND(test.module->bytes, 1024);
    ASSERT_DAMAGED(test.module->bytes, 1025);
    ASSERT_DAMAGED(test.module->bytes, UINT64_MAX);
    ASSERT_DAMAGED(test.module->payload_offset, end - 512);
    ASSERT_DAMAGED(test.module->payload_offset, end + 512);
    ASSERT_DAMAGED(test.module->payload_offset, BUILDER_PAYLOAD_OFFSET + 8);
}

static void modules_have_texts(void **state)
{
    ASSERT_DAMAGED(test.module->name_bytes, 0);
    ASSERT_DAMAGED(test.module->name_bytes, 4);
    ASSERT_DAMAGED(test.module->name_bytes, UINT32_MAX);
    ASSERT_DAMAGED(test.module->arguments_bytes, 0);
    ASSERT_DAMAGED(test.module->arguments_bytes, 3);
    ASSERT_DAMAGED(test.module->arguments_bytes, 16 - 5 + 1);
    ASSERT_DAMAGED(test.module->arguments_bytes, UINT32_MAX);
    ASSERT_SOUND(test.module->arguments_bytes, 16 - 5);
}

static void there_is_at_most_one_kernel_file(void **state)
{
    for (uint32_t flags = 0; flags < 2; flags++) {
        set_up(state);
        test.module->flags = PLAN_MODULE_KERNEL_FILE;
        builder_module(&test.builder, "", "", "", 0)->flags = flags;
        builder_finish(&test.builder);
        test.boot = builder_boot(&test.builder);
        assert_int_equal(error(), flags ? ERROR_PLAN_DAMAGED : 0);
    }
}

/* The kernel's file is not counted. */
static void there_are_at_most_65536_modules(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 65536; i++)
        builder_module(&test.builder, "", "", "", 0);
    builder_module(&test.builder, "", "", "", 0)->flags = PLAN_MODULE_KERNEL_FILE;
    builder_finish(&test.builder);
    test.boot = builder_boot(&test.builder);
    assert_int_equal(error(), 0);
    builder_module(&test.builder, "", "", "", 0);
    builder_finish(&test.builder);
    test.boot = builder_boot(&test.builder);
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
}

static void a_tls_template_lies_in_a_region(void **state)
{
    ASSERT_SOUND(test.tls->vaddr, VADDR + REGION_BYTES - 0x80);
    ASSERT_DAMAGED(test.tls->vaddr, VADDR + REGION_BYTES - 0x7f);
    ASSERT_SOUND(test.tls->vaddr, 0x400000);
    ASSERT_DAMAGED(test.tls->vaddr, 0x3fffff);
    set_up(state);
    test.tls->vaddr = 0x3fffff; /* zeros alone may lie anywhere */
    test.tls->file_bytes = 0;
    assert_int_equal(error(), 0);
    ASSERT_DAMAGED(test.tls->memory_bytes, 0x7f);
    ASSERT_SOUND(test.tls->memory_bytes, UINT64_MAX);
    ASSERT_SOUND(test.tls->align, 1ull << 63);
    ASSERT_DAMAGED(test.tls->align, 0);
    ASSERT_DAMAGED(test.tls->align, 24);
}

static void relocations_lie_in_a_region(void **state)
{
    ASSERT_SOUND(test.relocations->vaddr, VADDR + REGION_BYTES - 48);
    ASSERT_DAMAGED(test.relocations->vaddr, VADDR + REGION_BYTES - 47);
    ASSERT_DAMAGED(test.relocations->vaddr, 0);
    ASSERT_DAMAGED(test.relocations->bytes, 47);
    ASSERT_DAMAGED(test.relocations->bytes, 40);
    set_up(state);
    test.relocations->form = PLAN_RELOCATIONS_RELR;
    test.relocations->bytes = 40;
    assert_int_equal(error(), 0);
    test.relocations->bytes = 44;
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
}

static void requests_are_sound(void **state)
{
    ASSERT_DAMAGED(test.request->met, 2);
    ASSERT_DAMAGED(test.request->met, 0);
    for (size_t i = 0; i < 3; i++)
        ASSERT_DAMAGED(test.request->words[i], test.request->words[i] + 8);
    ASSERT_DAMAGED(test.request->words[2], 0);
    ASSERT_SOUND(test.request->words[1], (1ull << 52) - 0x2000);
    ASSERT_DAMAGED(test.request->words[1], (1ull << 52) - 0x1000);
    ASSERT_DAMAGED(test.request->words[1], 0 - 0x2000ull);
    ASSERT_DAMAGED(test.request->words[0], LAST_PAGE);
    ASSERT_DAMAGED(test.request->words[3], 0x10);
    ASSERT_DAMAGED(test.request->words[3], BOOTINFO_MAP_UNCACHED | BOOTINFO_MAP_WRITE_COMBINING);
}

static void words_of_requests_are_in_their_range(void **state)
{
    static const struct {
        uint32_t type;
        uint64_t word;
        bool is_sound;
    } cases[] = {
        {BOOTINFO_REQUEST_IDENTITY, 0, true},
        {BOOTINFO_REQUEST_IDENTITY, 1, true},
        {BOOTINFO_REQUEST_IDENTITY, 2, false},
        {BOOTINFO_REQUEST_CPUS, 0, true},
        {BOOTINFO_REQUEST_CPUS, 1, true},
        {BOOTINFO_REQUEST_CPUS, 2, false},
        {BOOTINFO_REQUEST_LEVELS, 3, false},
        {BOOTINFO_REQUEST_LEVELS, 4, true},
        {BOOTINFO_REQUEST_LEVELS, 5, true},
        {BOOTINFO_REQUEST_LEVELS, 6, false},
        {BOOTINFO_REQUEST_RECURSIVE, 0, false},
        {BOOTINFO_REQUEST_RECURSIVE, 1, true},
        {BOOTINFO_REQUEST_RECURSIVE, 255, true},
        {BOOTINFO_REQUEST_RECURSIVE, 256, false},
        {BOOTINFO_REQUEST_RECURSIVE, 383, false},
        {BOOTINFO_REQUEST_RECURSIVE, 384, true},
        {BOOTINFO_REQUEST_RECURSIVE, 509, true},
        {BOOTINFO_REQUEST_RECURSIVE, 510, false},
        {BOOTINFO_REQUEST_RECURSIVE, 1ull << 32, false},
        {BOOTINFO_REQUEST_MEMORY, UINT64_MAX, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(state);
        test.request->type = cases[i].type;
        test.request->words[0] = cases[i].word;
        assert_int_equal(error(), cases[i].is_sound ? 0 : ERROR_PLAN_DAMAGED);
        /* Given up on the host: nobody looks at it. */
        test.request->type |= BOOTINFO_REQUEST_OPTIONAL;
        test.request->met = 0;
        assert_int_equal(error(), 0);
    }
}

/* But for maps. */
static void requests_are_made_once(void **state)
{
    for (uint32_t type = BOOTINFO_REQUEST_CONTRACT; type <= BOOTINFO_REQUEST_BASE; type++) {
        bool is_map = type == BOOTINFO_REQUEST_MAP;
        bool is_switch = type == BOOTINFO_REQUEST_IDENTITY || type == BOOTINFO_REQUEST_CPUS;
        uint64_t word = is_map ? 0x1000 : is_switch ? 1 : 4;

        set_up(state);
        builder_request(&test.builder, type, word, 0x1000, 0x1000, 0);
        struct plan_request *again = builder_request(&test.builder, type, word, 0x1000, 0x1000, 0);
        builder_finish(&test.builder);
        test.boot = builder_boot(&test.builder);
        assert_int_equal(error(), is_map ? 0 : ERROR_PLAN_DAMAGED);
        again->type |= BOOTINFO_REQUEST_OPTIONAL;
        assert_int_equal(error(), is_map ? 0 : ERROR_PLAN_DAMAGED);
        again->met = 0;
        assert_int_equal(error(), 0);
    }
}

static void regions_lie_where_the_loader_can_reach(void **state)
{
    ASSERT_SOUND(test.region->paddr, PLAN_PADDR_ANYWHERE);
    ASSERT_SOUND(test.region->paddr, 0x100000000 - REGION_BYTES);
    ASSERT_SOUND(test.region->paddr, 0x100000);
    ASSERT_DAMAGED(test.region->paddr, 0x100000000 - REGION_BYTES + 0x1000);
    ASSERT_DAMAGED(test.region->paddr, FAKE_RAM_PADDR + 0x10);
    ASSERT_DAMAGED(test.region->paddr, 0x100000000);
    ASSERT_DAMAGED(test.region->paddr, LAST_PAGE);
    ASSERT_DAMAGED(test.region->paddr, UINT64_MAX - 1);
}

/* The loader itself and the BIOS work there; a later format may say how to load there. */
static void low_memory_is_beyond_this_loader(void **state)
{
    static const uint64_t addresses[] = {0, 0x7000, 0x8000, 0xa0000, 0xff000};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        set_up(state);
        test.region->paddr = addresses[i];
        assert_int_equal(error(), ERROR_PLAN_UNKNOWN);
    }
}

static void segments_lie_in_their_region(void **state)
{
    ASSERT_DAMAGED(test.segments[0]->vaddr, VADDR - 1);
    ASSERT_SOUND(test.segments[0]->vaddr, VADDR);
    ASSERT_SOUND(test.segments[0]->vaddr, VADDR + 0x1800 - DATA_BYTES);
    ASSERT_DAMAGED(test.segments[0]->vaddr, VADDR + 0x1800 - DATA_BYTES + 1);
    ASSERT_DAMAGED(test.segments[0]->vaddr, VADDR + 0x2000); /* not sorted */
    ASSERT_SOUND(test.segments[1]->vaddr, VADDR + REGION_BYTES - DATA_BYTES);
    ASSERT_DAMAGED(test.segments[1]->vaddr, VADDR + REGION_BYTES - DATA_BYTES + 1);
    ASSERT_DAMAGED(test.segments[1]->vaddr, VADDR + REGION_BYTES);
    ASSERT_DAMAGED(test.segments[1]->vaddr, VADDR + REGION_BYTES + 1);
    ASSERT_DAMAGED(test.segments[1]->vaddr, VADDR + 0x100000);
    ASSERT_DAMAGED(test.segments[1]->vaddr, 0);
    ASSERT_DAMAGED(test.segments[1]->file_bytes, REGION_BYTES - 0x1800 + 1);
    ASSERT_DAMAGED(test.segments[1]->file_bytes, UINT64_MAX);
    ASSERT_DAMAGED(test.segments[1]->file_bytes, 0 - test.segments[1]->vaddr);
}

static void segments_lie_in_the_payload(void **state)
{
    uint64_t end = test.builder.prefix->partition_bytes;

    ASSERT_SOUND(test.segments[0]->file_bytes, 0);
    ASSERT_SOUND(test.segments[0]->payload_offset, end - 1024);
    ASSERT_DAMAGED(test.segments[0]->payload_offset, end - 512);
    ASSERT_DAMAGED(test.segments[0]->payload_offset, end + 512);
    ASSERT_DAMAGED(test.segments[0]->payload_offset, BUILDER_PAYLOAD_OFFSET + 8);
    ASSERT_DAMAGED(test.segments[0]->payload_offset, 0ull - 512);
}

static void segments_and_mappings_need_a_region(void **state)
{
    const struct plan_record unknown = {99, 0, sizeof(struct plan_region)};
    struct plan_record *const firsts[] = {&test.segments[0]->record, &test.mappings[0]->record};

    for (size_t i = 0; i < 2; i++) {
        set_up(state);
        test.other->record = unknown;
        assert_int_equal(error(), 0);
        memcpy(test.other, firsts[i], sizeof(*test.other)); /* the fields up to its length */
        test.other->record.bytes = sizeof(*test.other);
        assert_int_equal(error(), ERROR_PLAN_DAMAGED);
        test.other->record = unknown;
        test.region->record = unknown;
        assert_int_equal(error(), ERROR_PLAN_DAMAGED);
    }
}

static void mappings_are_pages_of_their_region(void **state)
{
    ASSERT_DAMAGED(test.mappings[0]->vaddr, VADDR - 0x1000);
    ASSERT_DAMAGED(test.mappings[0]->vaddr, VADDR + 8);
    ASSERT_DAMAGED(test.mappings[0]->vaddr, VADDR + 0x1000);
    ASSERT_DAMAGED(test.mappings[0]->bytes, 0);
    ASSERT_DAMAGED(test.mappings[0]->bytes, 0x1008);
    ASSERT_DAMAGED(test.mappings[0]->bytes, 0x2000);
    ASSERT_SOUND(test.mappings[1]->vaddr, VADDR + 0x2000);
    ASSERT_DAMAGED(test.mappings[1]->vaddr, VADDR + 0x3000);
    ASSERT_DAMAGED(test.mappings[1]->vaddr, VADDR + 0x4000);
    ASSERT_DAMAGED(test.mappings[1]->vaddr, VADDR + 0x5000);
    ASSERT_SOUND(test.mappings[1]->bytes, 0x3000);
    ASSERT_DAMAGED(test.mappings[1]->bytes, 0x4000);
    ASSERT_DAMAGED(test.mappings[1]->bytes, 0 - test.mappings[1]->vaddr);
    ASSERT_DAMAGED(test.mappings[1]->bytes, LAST_PAGE);
}

/* Behind a segment that ends with the address space there is no other. */
static void the_end_of_the_address_space_is_an_end(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        set_up(state);
        test.base->record.type = 99;
        test.base->record.flags = 0;
        test.region->vaddr = 0 - REGION_BYTES;
        test.protocol->entry_vaddr = test.region->vaddr;
        test.tls->vaddr = test.relocations->vaddr = test.region->vaddr;
        test.segments[0]->vaddr = i == 0 ? 0ull - DATA_BYTES : test.region->vaddr;
        test.segments[1]->vaddr = test.region->vaddr + DATA_BYTES;
        test.mappings[0]->vaddr = i == 1 ? LAST_PAGE : test.region->vaddr;
        test.mappings[1]->vaddr = test.region->vaddr + 0x1000;
        assert_int_equal(error(), ERROR_PLAN_DAMAGED);
    }
    test.mappings[0]->vaddr = test.region->vaddr;
    test.mappings[1]->vaddr = LAST_PAGE - 0x1000;
    test.segments[1]->vaddr = 0ull - DATA_BYTES;
    assert_int_equal(error(), 0);
}

static void a_bad_sector_is_an_error(void **state)
{
    (void)state;
    fake_firmware.bad_lba = BUILDER_PLAN_LBA;
    assert_int_equal(error(), ERROR_DISK_READ);
    fake_firmware.bad_lba = FAKE_NO_LBA;
    fake_firmware.disk_bytes = (BUILDER_PLAN_LBA + 0ull) * IMAGE_SECTOR_BYTES;
    assert_int_equal(error(), ERROR_PLAN_DAMAGED);
}

static int set_up_all(void **state)
{
    fake_start();
    return set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_plan_is_accepted, set_up),
        cmocka_unit_test_setup(records_are_walked_in_order, set_up),
        cmocka_unit_test_setup(the_memory_of_a_plan_is_given_back, set_up),
        cmocka_unit_test_setup(the_checksum_covers_every_bit, set_up),
        cmocka_unit_test_setup(the_prefix_must_fit_the_image, set_up),
        cmocka_unit_test_setup(a_plan_may_not_end_in_a_record, set_up),
        cmocka_unit_test_setup(records_have_the_length_of_their_type, set_up),
        cmocka_unit_test_setup(unknown_records_are_refused_if_required, set_up),
        cmocka_unit_test_setup(there_is_one_protocol, set_up),
        cmocka_unit_test_setup(there_is_at_most_one_command_line, set_up),
        cmocka_unit_test_setup(regions_are_pages, set_up),
        cmocka_unit_test_setup(regions_are_sorted_and_share_no_page, set_up),
        cmocka_unit_test_setup(regions_have_canonical_addresses, set_up),
        cmocka_unit_test_setup(regions_keep_off_the_stack, set_up),
        cmocka_unit_test_setup(a_random_base_moves_no_region_out, set_up),
        cmocka_unit_test_setup(the_entry_can_be_executed, set_up),
        cmocka_unit_test_setup(unknown_flags_are_refused, set_up),
        cmocka_unit_test_setup(modules_lie_in_the_payload, set_up),
        cmocka_unit_test_setup(modules_have_texts, set_up),
        cmocka_unit_test_setup(there_is_at_most_one_kernel_file, set_up),
        cmocka_unit_test_setup(there_are_at_most_65536_modules, set_up),
        cmocka_unit_test_setup(a_tls_template_lies_in_a_region, set_up),
        cmocka_unit_test_setup(relocations_lie_in_a_region, set_up),
        cmocka_unit_test_setup(requests_are_sound, set_up),
        cmocka_unit_test_setup(words_of_requests_are_in_their_range, set_up),
        cmocka_unit_test_setup(requests_are_made_once, set_up),
        cmocka_unit_test_setup(regions_lie_where_the_loader_can_reach, set_up),
        cmocka_unit_test_setup(low_memory_is_beyond_this_loader, set_up),
        cmocka_unit_test_setup(segments_lie_in_their_region, set_up),
        cmocka_unit_test_setup(segments_lie_in_the_payload, set_up),
        cmocka_unit_test_setup(segments_and_mappings_need_a_region, set_up),
        cmocka_unit_test_setup(mappings_are_pages_of_their_region, set_up),
        cmocka_unit_test_setup(the_end_of_the_address_space_is_an_end, set_up),
        cmocka_unit_test_setup(a_bad_sector_is_an_error, set_up),
    };

    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
