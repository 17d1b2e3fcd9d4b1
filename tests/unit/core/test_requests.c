/*
 * What a kernel asks for: it gets exactly that, or the boot stops by name, or, where the request is
 * optional, the kernel is told that it was not met.
 */
#include "errors.h"
#include "small_kernel.h"

#include <bootimage/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define MIB 0x100000ull
#define HIGH_VADDR 0xffffffff80000000ull
#define MAP_VADDR 0xffffa00000000000ull
#define OPTIONAL BOOTINFO_REQUEST_OPTIONAL
#define MOST_REQUESTS 8
#define WU (BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED)

static struct plan_builder builder;
static struct bootinfo_request echo[MOST_REQUESTS];
static size_t echo_count;

static int set_up(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    echo_count = 0;
    small_kernel_build(&builder, HIGH_VADDR, FAKE_RAM_PADDR + 2 * MIB);
    return 0;
}

/* One more request, which will have been met or not. */
static void ask(uint32_t met, uint32_t type, uint64_t word0, uint64_t word1, uint64_t word2,
                uint64_t word3)
{
    assert_true(echo_count < MOST_REQUESTS);
    builder_request(&builder, type, word0, word1, word2, word3);
    echo[echo_count++] = (struct bootinfo_request){type, met, {word0, word1, word2, word3}};
}

static void assert_boots(struct contract_kernel about)
{
    about.requests = echo;
    about.request_count = echo_count;
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check(about, HIGH_VADDR, FAKE_RAM_PADDR + 2 * MIB);
}

static void assert_fails(unsigned int error)
{
    small_kernel_fails(&builder, error);
}

static void no_request_is_echoed_as_none(void **state)
{
    (void)state;
    assert_boots((struct contract_kernel){0});
    assert_int_equal(contract_bootinfo()->requests, 0);
}

/* Those that the tool alone acts on, and those that ask for what is so anyway. */
static void requests_are_echoed_in_order(void **state)
{
    (void)state;
    ask(1, BOOTINFO_REQUEST_STACK, 0x20000, 0, 0, 0);
    ask(1, BOOTINFO_REQUEST_IDENTITY | OPTIONAL, 1, 0, 0, 0);
    ask(1, BOOTINFO_REQUEST_LEVELS, 4, 0, 0, 0);
    ask(1, BOOTINFO_REQUEST_CONTRACT, BOOTINFO_VERSION, 0, 0, 0);
    ask(1, BOOTINFO_REQUEST_BASE, HIGH_VADDR, 2, 3, 4);
    assert_boots((struct contract_kernel){0});
}

static void what_the_tool_gave_up_stays_so(void **state)
{
    (void)state;
    builder_request(&builder, BOOTINFO_REQUEST_MAP | OPTIONAL, 1, 2, 3, 4)->met = 0;
    echo[echo_count++] =
        (struct bootinfo_request){BOOTINFO_REQUEST_MAP | OPTIONAL, 0, {1, 2, 3, 4}};
    builder_request(&builder, BOOTINFO_REQUEST_IDENTITY | OPTIONAL, 0, 0, 0, 0)->met = 0;
    echo[echo_count++] =
        (struct bootinfo_request){BOOTINFO_REQUEST_IDENTITY | OPTIONAL, 0, {0, 0, 0, 0}};
    assert_boots((struct contract_kernel){0});
}

static void unknown_requests_are_refused_unless_optional(void **state)
{
    static const uint32_t types[] = {0, BOOTINFO_REQUEST_BASE + 1, 0x20000, 0x80000002};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        set_up(state);
        ask(0, types[i] | OPTIONAL, 1, 2, 3, 4);
        assert_boots((struct contract_kernel){0});
        ask(0, types[i], 1, 2, 3, 4);
        assert_fails(ERROR_PLAN_UNKNOWN);
    }
}

static void a_newer_contract_is_refused_unless_optional(void **state)
{
    (void)state;
    ask(0, BOOTINFO_REQUEST_CONTRACT | OPTIONAL, BOOTINFO_VERSION + 1, 0, 0, 0);
    assert_boots((struct contract_kernel){0});
    set_up(state);
    ask(0, BOOTINFO_REQUEST_CONTRACT, BOOTINFO_VERSION + 1, 0, 0, 0);
    assert_fails(ERROR_PLAN_UNKNOWN);
}

/* All that is left one to one is the hand-over page. */
static void the_one_to_one_map_can_be_left_out(void **state)
{
    (void)state;
    ask(1, BOOTINFO_REQUEST_IDENTITY, 0, 0, 0, 0);
    assert_boots((struct contract_kernel){.has_no_identity = true});
}

static void maps_have_their_rights_and_caching(void **state)
{
    static const struct contract_pages maps[] = {
        {MAP_VADDR, PAGE, 0xfed00000, PLAN_WRITABLE, 3},
        {MAP_VADDR + 16 * MIB, 4 * MIB, 0x2000000000, PLAN_WRITABLE, 4},
        {0x7fffffe00000, 2 * MIB, 0, PLAN_EXECUTABLE, 0},
        {0x10000000000, 3 * PAGE, 0xffffffffd000, 0, 0},
    };

    (void)state;
    ask(1, BOOTINFO_REQUEST_MAP, maps[0].vaddr, maps[0].paddr, maps[0].bytes, WU);
    ask(1, BOOTINFO_REQUEST_MAP, maps[1].vaddr, maps[1].paddr, maps[1].bytes,
        BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_WRITE_COMBINING);
    ask(1, BOOTINFO_REQUEST_MAP, maps[2].vaddr, maps[2].paddr, maps[2].bytes,
        BOOTINFO_MAP_EXECUTABLE);
    ask(1, BOOTINFO_REQUEST_MAP | OPTIONAL, maps[3].vaddr, maps[3].paddr, maps[3].bytes, 0);
    assert_boots((struct contract_kernel){.maps = maps, .map_count = 4});
}

/* What the kernel has read-only is read-only in any map that shows it. */
static void a_map_of_the_kernel_keeps_it_read_only(void **state)
{
    static const struct contract_pages maps[] = {
        {MAP_VADDR, 4 * MIB, FAKE_RAM_PADDR, PLAN_WRITABLE, 3},
        {MAP_VADDR + 8 * MIB, 3 * PAGE, FAKE_RAM_PADDR + 2 * MIB + PAGE, PLAN_WRITABLE, 0},
    };

    (void)state;
    ask(1, BOOTINFO_REQUEST_MAP, maps[0].vaddr, maps[0].paddr, maps[0].bytes, WU);
    ask(1, BOOTINFO_REQUEST_MAP, maps[1].vaddr, maps[1].paddr, maps[1].bytes,
        BOOTINFO_MAP_WRITABLE);
    assert_boots((struct contract_kernel){.maps = maps, .map_count = 2});
}

/* A map counts for more than that of all memory and the one-to-one map; what it hides holds nothing
   of the loader's. */
static void a_map_hides_no_data_of_the_loader(void **state)
{
    for (uint64_t i = 0; i < 3; i++) {
        const uint64_t hidden = FAKE_RAM_END - 4 * MIB;
        const struct contract_pages map = {i == 0 ? hidden : BOOTINFO_PHYSICAL_MEMORY + hidden,
                                           4 * MIB, 0xfe000000, PLAN_WRITABLE, 3};

        set_up(state);
        ask(1, BOOTINFO_REQUEST_MAP, map.vaddr, map.paddr, map.bytes, WU);
        if (i == 2)
            ask(1, BOOTINFO_REQUEST_IDENTITY, 0, 0, 0, 0);
        assert_boots(
            (struct contract_kernel){.maps = &map, .map_count = 1, .has_no_identity = i == 2});
    }
}

static void maps_the_cpu_cannot_reach_are_refused(void **state)
{
    (void)state;
    fake_firmware.cpu.address_bits = 36;
    ask(1, BOOTINFO_REQUEST_LEVELS, 4, 0, 0, 0);
    ask(0, BOOTINFO_REQUEST_MAP | OPTIONAL, MAP_VADDR, (1ull << 36) - PAGE, 2 * PAGE, WU);
    assert_boots((struct contract_kernel){0});
    ask(0, BOOTINFO_REQUEST_MAP, MAP_VADDR, 1ull << 36, PAGE, WU);
    assert_fails(ERROR_ADDRESS_WIDTH);
}

static void maps_beyond_four_levels_are_refused(void **state)
{
    static const uint64_t vaddrs[] = {0x800000000000, 0x7ffffffff000, 0xffff7ffffffff000};

    for (size_t i = 0; i < 3; i++) {
        set_up(state);
        ask(0, BOOTINFO_REQUEST_MAP | OPTIONAL, vaddrs[i], 0xfed00000, 2 * PAGE, WU);
        assert_boots((struct contract_kernel){0});
        ask(0, BOOTINFO_REQUEST_MAP, vaddrs[i], 0xfed00000, 2 * PAGE, WU);
        assert_fails(ERROR_NO_FIVE_LEVELS);
    }
}

static void there_can_be_five_levels(void **state)
{
    const struct contract_pages map = {0xff80000000000000, 2 * PAGE, 0xfed00000, PLAN_WRITABLE, 3};

    (void)state;
    ask(1, BOOTINFO_REQUEST_LEVELS, 5, 0, 0, 0);
    ask(1, BOOTINFO_REQUEST_MAP, map.vaddr, map.paddr, map.bytes, WU);
    assert_boots((struct contract_kernel){.has_5_levels = true, .maps = &map, .map_count = 1});
}

static void five_levels_need_the_cpu(void **state)
{
    (void)state;
    fake_firmware.cpu.has_5_levels = false;
    ask(0, BOOTINFO_REQUEST_LEVELS | OPTIONAL, 5, 0, 0, 0);
    assert_boots((struct contract_kernel){0});
    set_up(state);
    fake_firmware.cpu.has_5_levels = false;
    ask(0, BOOTINFO_REQUEST_LEVELS, 5, 0, 0, 0);
    assert_fails(ERROR_NO_FIVE_LEVELS);
}

static void there_can_be_a_recursive_entry(void **state)
{
    static const uint64_t entries[] = {1, 255, 384, 509};

    for (size_t i = 0; i < 8; i++) {
        set_up(state);
        if (i & 1)
            ask(1, BOOTINFO_REQUEST_LEVELS, 5, 0, 0, 0);
        ask(1, BOOTINFO_REQUEST_RECURSIVE, entries[i / 2], 0, 0, 0);
        assert_boots((struct contract_kernel){.has_5_levels = i & 1,
                                              .recursive_entry = (uint32_t)entries[i / 2]});
    }
}

static void a_recursive_entry_takes_nothing_away(void **state)
{
    const uint64_t entry = 400;
    const struct contract_pages map = {0xffff000000000000 | entry << 39, PAGE, 0xfed00000,
                                       PLAN_WRITABLE, 3};

    (void)state;
    ask(1, BOOTINFO_REQUEST_MAP, map.vaddr, map.paddr, map.bytes, WU);
    ask(0, BOOTINFO_REQUEST_RECURSIVE | OPTIONAL, entry, 0, 0, 0);
    assert_boots((struct contract_kernel){.maps = &map, .map_count = 1});
    set_up(state);
    ask(1, BOOTINFO_REQUEST_MAP, map.vaddr, map.paddr, map.bytes, WU);
    ask(0, BOOTINFO_REQUEST_RECURSIVE, entry, 0, 0, 0);
    assert_fails(ERROR_PLAN_UNKNOWN);
}

static uint64_t usable_bytes(void)
{
    const struct bootinfo *info = contract_bootinfo();
    const struct bootinfo_memory_range *map = contract_at(info->memory_map);
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < info->memory_map_count; i++)
        bytes += map[i].type == BOOTINFO_MEMORY_USABLE ? map[i].bytes : 0;
    return bytes;
}

/* What counts is the memory map that the kernel gets, to the byte. */
static void enough_memory_is_usable_memory(void **state)
{
    (void)state;
    ask(1, BOOTINFO_REQUEST_MEMORY, MIB, 0, 0, 0);
    assert_boots((struct contract_kernel){0});
    const uint64_t usable = usable_bytes();
    assert_in_range(usable, FAKE_RAM_BYTES, FAKE_RAM_BYTES + 0x40000000 + MIB);

    set_up(state);
    ask(1, BOOTINFO_REQUEST_MEMORY, usable, 0, 0, 0);
    assert_boots((struct contract_kernel){0});
    assert_int_equal(usable_bytes(), usable);

    set_up(state);
    ask(0, BOOTINFO_REQUEST_MEMORY | OPTIONAL, usable + 1, 0, 0, 0);
    assert_boots((struct contract_kernel){0});

    set_up(state);
    ask(0, BOOTINFO_REQUEST_MEMORY, usable + 1, 0, 0, 0);
    assert_fails(ERROR_LESS_MEMORY);
}

static void set_framebuffer(void)
{
    static const uint8_t edid[128] = {0x00, 0xff, [127] = 0x42};

    fake_firmware.framebuffer = (struct bootinfo_framebuffer){
        .paddr = 0xfd000000,
        .bytes = 4096 * 768,
        .width = 1024,
        .height = 768,
        .pitch_bytes = 4096,
        .bits_per_pixel = 32,
        .red_shift = 16,
        .red_bits = 8,
        .edid = (uintptr_t)edid,
        .edid_bytes = sizeof(edid),
    };
}

static void a_framebuffer_is_write_combining(void **state)
{
    for (uint64_t i = 0; i < 4; i++) {
        set_up(state);
        set_framebuffer();
        ask(1, BOOTINFO_REQUEST_FRAMEBUFFER, i & 1 ? 1024 : 0, 0, i & 1 ? 32 : 0, 0);
        ask(1, BOOTINFO_REQUEST_IDENTITY, i < 2, 0, 0, 0);
        assert_boots((struct contract_kernel){.has_no_identity = i >= 2});

        const struct bootinfo *info = contract_bootinfo();
        assert_int_equal(info->framebuffer_count, 1);
        struct bootinfo_framebuffer told, wanted = fake_firmware.framebuffer;
        memcpy(&told, contract_at(info->framebuffers), sizeof(told));
        assert_int_equal(told.address, BOOTINFO_PHYSICAL_MEMORY + wanted.paddr);
        assert_memory_equal(contract_at(told.edid), (const void *)(uintptr_t)wanted.edid, 128);
        told.address = 0;
        wanted.edid = told.edid;
        assert_memory_equal(&told, &wanted, sizeof(told));
    }
}

static void no_mode_is_set_unasked(void **state)
{
    (void)state;
    set_framebuffer();
    assert_boots((struct contract_kernel){0});
    assert_false(fake_firmware.video_set);
    assert_int_equal(contract_bootinfo()->framebuffer_count, 0);
}

static void a_framebuffer_needs_a_mode(void **state)
{
    (void)state;
    set_framebuffer();
    ask(0, BOOTINFO_REQUEST_FRAMEBUFFER | OPTIONAL, 1024, 768, 24, 0);
    assert_boots((struct contract_kernel){0});
    assert_int_equal(contract_bootinfo()->framebuffer_count, 0);
    set_up(state);
    ask(0, BOOTINFO_REQUEST_FRAMEBUFFER, 0, 0, 0, 0);
    assert_fails(ERROR_NO_FRAMEBUFFER);
}

static void without_nx_nothing_else_changes(void **state)
{
    (void)state;
    fake_firmware.cpu.has_nx = false;
    fake_firmware.cpu.has_1gib = false;
    assert_boots((struct contract_kernel){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_request_is_echoed_as_none, set_up),
        cmocka_unit_test_setup(requests_are_echoed_in_order, set_up),
        cmocka_unit_test_setup(what_the_tool_gave_up_stays_so, set_up),
        cmocka_unit_test(unknown_requests_are_refused_unless_optional),
        cmocka_unit_test_setup(a_newer_contract_is_refused_unless_optional, set_up),
        cmocka_unit_test_setup(the_one_to_one_map_can_be_left_out, set_up),
        cmocka_unit_test_setup(maps_have_their_rights_and_caching, set_up),
        cmocka_unit_test_setup(a_map_of_the_kernel_keeps_it_read_only, set_up),
        cmocka_unit_test(a_map_hides_no_data_of_the_loader),
        cmocka_unit_test_setup(maps_the_cpu_cannot_reach_are_refused, set_up),
        cmocka_unit_test(maps_beyond_four_levels_are_refused),
        cmocka_unit_test_setup(there_can_be_five_levels, set_up),
        cmocka_unit_test_setup(five_levels_need_the_cpu, set_up),
        cmocka_unit_test(there_can_be_a_recursive_entry),
        cmocka_unit_test_setup(a_recursive_entry_takes_nothing_away, set_up),
        cmocka_unit_test_setup(enough_memory_is_usable_memory, set_up),
        cmocka_unit_test(a_framebuffer_is_write_combining),
        cmocka_unit_test_setup(no_mode_is_set_unasked, set_up),
        cmocka_unit_test_setup(a_framebuffer_needs_a_mode, set_up),
        cmocka_unit_test_setup(without_nx_nothing_else_changes, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
