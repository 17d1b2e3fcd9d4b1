/*
 * The search for struct bootinfo: in a memory of 6 MiB and a bit, with what looks like it and is
 * not, with what an older or a newer loader leaves, and with one that was written over.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "run/bootinfo_finder.h"

#define MIB 0x100000u
#define PAGE_BYTES 0x1000u
#define MEMORY_BYTES (6 * MIB + 3 * PAGE_BYTES)
#define HERE (4 * MIB + 7 * PAGE_BYTES)

static struct {
    uint8_t bytes[MEMORY_BYTES];
    uint64_t bad_paddr; /* what lies below cannot be read */
    uint64_t read_bytes;
    unsigned int refusals;
} fake;

static bool read_fake(void *context, uint64_t paddr, void *bytes, size_t count)
{
    assert_ptr_equal(context, &fake);
    assert_true(paddr <= MEMORY_BYTES && count <= MEMORY_BYTES - paddr);
    if (paddr < fake.bad_paddr) {
        fake.refusals++;
        return false;
    }
    memcpy(bytes, fake.bytes + paddr, count);
    fake.read_bytes += count;
    return true;
}

static const struct guest_memory memory = {read_fake, &fake, MEMORY_BYTES};

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    return 0;
}

static struct bootinfo sample(void)
{
    return (struct bootinfo){
        .magic = BOOTINFO_MAGIC,
        .version = BOOTINFO_VERSION,
        .size_bytes = sizeof(struct bootinfo),
        .loader_name = BOOTINFO_PHYSICAL_MEMORY + 0x5fd000,
        .loader_version = BOOTINFO_PHYSICAL_MEMORY + 0x5fc000,
        .command_line = BOOTINFO_PHYSICAL_MEMORY + 0x5fb000,
        .memory_map = BOOTINFO_PHYSICAL_MEMORY + 0x5fa000,
        .memory_map_count = 7,
        .physical_memory = BOOTINFO_PHYSICAL_MEMORY,
        .kernel_vaddr = 0xffffffff80000000,
        .kernel_paddr = 0x200000,
        .stack_top = BOOTINFO_STACK_TOP,
        .stack_bytes = 0x10000,
        .tsc_stage1 = 10,
        .tsc_stage2 = 20,
        .tsc_loader = 30,
        .tsc_load = 40,
        .tsc_map = 50,
        .tsc_enter = 60,
        .firmware = BOOTINFO_FIRMWARE_BIOS,
        .page_levels = 4,
        .ticks_check = 5,
    };
}

static void put(uint64_t paddr, const struct bootinfo *info)
{
    memcpy(fake.bytes + paddr, info, sizeof(*info));
}

static void assert_found(uint64_t paddr)
{
    struct found_bootinfo found;

    assert_true(bootinfo_find(&memory, &found));
    assert_int_equal(found.paddr, paddr);
    assert_memory_equal(&found.info, fake.bytes + paddr, sizeof(found.info));
}

static void assert_none(void)
{
    struct found_bootinfo found;

    assert_false(bootinfo_find(&memory, &found));
}

static void it_is_found_on_any_page(void **state)
{
    static const uint64_t places[] = {0,   PAGE_BYTES, MIB - 0x1000,
                                      MIB, HERE,       MEMORY_BYTES - PAGE_BYTES};
    const struct bootinfo info = sample();

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        set_up(state);
        put(places[i], &info);
        assert_found(places[i]);
    }
}

static void what_lies_below_is_not_read(void **state)
{
    const struct bootinfo info = sample();

    (void)state;
    put(MEMORY_BYTES - 5 * PAGE_BYTES, &info);
    assert_found(MEMORY_BYTES - 5 * PAGE_BYTES);
    assert_true(fake.read_bytes <= MIB);
}

static void a_kernel_s_own_copy_is_not_taken_for_it(void **state)
{
    struct bootinfo info = sample();

    (void)state;
    put(HERE + PAGE_BYTES + 64, &info); /* as a variable */
    info.command_line_bytes = 3;
    put(HERE, &info);
    put(MIB, &info); /* below */
    assert_found(HERE);
}

static void there_may_be_none(void **state)
{
    (void)state;
    assert_none();
    memset(fake.bytes, 0xff, sizeof(fake.bytes));
    assert_none();
    for (size_t i = 0; i < sizeof(fake.bytes); i += 8)
        memcpy(fake.bytes + i, "BOOTINFO", 8);
    assert_none();
}

/* Each of these alone makes it something else. */
static void decoys(void **state)
{
    static const struct {
        size_t offset;
        size_t bytes;
        uint64_t value;
    } changes[] = {
#define CHANGE(field, value) {offsetof(struct bootinfo, field), sizeof(sample().field), value}
        CHANGE(magic, BOOTINFO_MAGIC + 1),
        CHANGE(version, 0x00020000),
        CHANGE(version, 4),
        CHANGE(size_bytes, 0),
        CHANGE(size_bytes, 152),
        CHANGE(size_bytes, 417),
        CHANGE(size_bytes, 0x1008),
        CHANGE(loader_name, 0x5fd000),
        CHANGE(loader_version, BOOTINFO_PHYSICAL_MEMORY),
        CHANGE(command_line, 0),
        CHANGE(command_line_bytes, 0x10000),
        CHANGE(memory_map, BOOTINFO_PHYSICAL_MEMORY + 0x100000000),
        CHANGE(memory_map_count, 0),
        CHANGE(memory_map_count, 0x10001),
        CHANGE(physical_memory, 0),
        CHANGE(physical_memory, BOOTINFO_PHYSICAL_MEMORY_5),
        CHANGE(physical_memory, 0xffff900000000000),
        CHANGE(kernel_vaddr, 0xffffffff80000800),
        CHANGE(kernel_paddr, 0x200008),
        CHANGE(stack_top, 0xffffff8000001000),
        CHANGE(stack_bytes, 0),
        CHANGE(tsc_stage1, 20),
        CHANGE(tsc_stage2, 30),
        CHANGE(tsc_loader, 40),
        CHANGE(tsc_load, 50),
        CHANGE(tsc_map, 60),
        CHANGE(tsc_enter, 0), /* the kernel has not begun */
        CHANGE(page_levels, 5),
#undef CHANGE
    };
    const struct bootinfo info = sample();

    (void)state;
    put(HERE, &info);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct bootinfo decoy = info;

        memcpy((uint8_t *)&decoy + changes[i].offset, &changes[i].value, changes[i].bytes);
        put(HERE + 3 * PAGE_BYTES, &decoy);
        assert_found(HERE);
    }
}

static void put_with_map(uint64_t physical_memory, uint32_t levels, uint64_t stack_top)
{
    struct bootinfo info = sample();

    info.physical_memory = physical_memory;
    info.page_levels = levels;
    info.loader_name = info.loader_version = info.command_line = info.memory_map =
        physical_memory + 0x5fd000;
    info.stack_top = stack_top;
    put(HERE, &info);
}

static void kernels_with_other_maps(void **state)
{
    (void)state;
    put_with_map(BOOTINFO_PHYSICAL_MEMORY_5, 5, BOOTINFO_STACK_TOP);
    assert_found(HERE);
    put_with_map(BOOTINFO_PHYSICAL_MEMORY_5, 4, BOOTINFO_STACK_TOP);
    assert_none();
    put_with_map(0xffff900000000000, 4, BOOTINFO_STACK_TOP);
    assert_none();
    put_with_map(0, 0, 0x5ff000); /* without paging */
    assert_found(HERE);
    put_with_map(0, 4, 0x5ff000);
    assert_none();
    put_with_map(0, 0, BOOTINFO_STACK_TOP);
    assert_none();
}

/* What lies behind an older struct is not of it. */
static void other_versions(void **state)
{
    struct bootinfo info = sample();
    struct found_bootinfo found;

    (void)state;
    memset(fake.bytes + HERE, 0xaa, PAGE_BYTES);
    info.version = 0x00010003;
    info.size_bytes = offsetof(struct bootinfo, ticks_read);
    memcpy(fake.bytes + HERE, &info, info.size_bytes);
    assert_true(bootinfo_find(&memory, &found));
    assert_int_equal(found.info.page_levels, 4);
    assert_int_equal(found.info.ticks_read, 0);
    assert_int_equal(found.info.ticks_check, 0);

    memset(fake.bytes + HERE, 0xaa, PAGE_BYTES);
    info.version = 0x00010000;
    info.size_bytes = 160;
    memcpy(fake.bytes + HERE, &info, info.size_bytes);
    assert_true(bootinfo_find(&memory, &found));
    assert_int_equal(found.info.tsc_enter, 60);
    assert_int_equal(found.info.firmware, 0);
    assert_int_equal(found.info.page_levels, 0);

    info = sample();
    info.version = 0x00010009;
    info.size_bytes = sizeof(info) + 64;
    put(HERE, &info);
    assert_true(bootinfo_find(&memory, &found));
    assert_int_equal(found.info.ticks_check, 5);
}

static void memory_that_cannot_be_read_ends_the_search(void **state)
{
    const struct bootinfo info = sample();

    (void)state;
    put(HERE, &info);
    fake.bad_paddr = 3 * MIB;
    assert_found(HERE);
    assert_int_equal(fake.refusals, 0);
    fake.bad_paddr = 5 * MIB;
    assert_none();
    assert_int_equal(fake.refusals, 1);
}

/* The end of the RAM is an address of any kind. */
static void odd_sizes(void **state)
{
    const struct bootinfo info = sample();
    struct guest_memory odd = memory;
    struct found_bootinfo found;

    (void)state;
    put(0, &info);
    odd.end_paddr = 0;
    assert_false(bootinfo_find(&odd, &found));
    odd.end_paddr = PAGE_BYTES - 1;
    assert_false(bootinfo_find(&odd, &found));
    odd.end_paddr = PAGE_BYTES + 1;
    assert_true(bootinfo_find(&odd, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_found_on_any_page, set_up),
        cmocka_unit_test_setup(what_lies_below_is_not_read, set_up),
        cmocka_unit_test_setup(a_kernel_s_own_copy_is_not_taken_for_it, set_up),
        cmocka_unit_test_setup(there_may_be_none, set_up),
        cmocka_unit_test_setup(decoys, set_up),
        cmocka_unit_test_setup(kernels_with_other_maps, set_up),
        cmocka_unit_test_setup(other_versions, set_up),
        cmocka_unit_test_setup(memory_that_cannot_be_read_ends_the_search, set_up),
        cmocka_unit_test_setup(odd_sizes, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
