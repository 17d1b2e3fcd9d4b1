/*
 * Modules: each byte of a file where the kernel is told, on pages of its own, zeros behind it; a
 * damaged one is named.
 */
#include "errors.h"
#include "small_kernel.h"

#include "../runtime/random.h"

#include <bootimage/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define HIGH_VADDR 0xffffffff80000000ull
#define PADDR FAKE_RAM_PADDR
#define LARGEST 0x300000u

static struct plan_builder builder;
static uint8_t data[LARGEST];

static int set_up(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    small_kernel_build(&builder, HIGH_VADDR, PADDR);
    return 0;
}

static int set_up_data(void **state)
{
    struct random random = {15};

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)random_bits(&random);
    return 0;
}

static void assert_boots(void)
{
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){0}, HIGH_VADDR, PADDR);
}

static void assert_file(uint64_t address, const uint8_t *wanted, uint64_t bytes)
{
    const uint8_t *found = contract_at(address);

    assert_int_equal(address % PAGE, 0);
    assert_memory_equal(found, wanted, bytes);
    for (uint64_t i = bytes; i % PAGE; i++)
        assert_int_equal(found[i], 0);
}

static const struct bootinfo_module *assert_module(uint64_t index, const char *name,
                                                   const char *arguments, uint64_t bytes)
{
    const struct bootinfo *info = contract_bootinfo();
    const struct bootinfo_module *modules = contract_at(info->modules), *module = &modules[index];

    assert_true(index < info->module_count);
    assert_string_equal(contract_at(module->name), name);
    assert_string_equal(contract_at(module->arguments), arguments);
    assert_int_equal(module->bytes, bytes);
    return module;
}

static void there_can_be_none(void **state)
{
    (void)state;
    assert_boots();
    assert_int_equal(contract_bootinfo()->module_count, 0);
    assert_int_equal(contract_bootinfo()->modules, 0);
    assert_int_equal(contract_bootinfo()->kernel_file, 0);
    assert_int_equal(contract_bootinfo()->kernel_file_bytes, 0);
}

static void modules_are_loaded_in_order(void **state)
{
    static const uint64_t sizes[] = {1, PAGE, 0, PAGE + 1, 511, LARGEST, 2 * PAGE - 1};
    char name[16];

    (void)state;
    for (unsigned int i = 0; i < 7; i++) {
        snprintf(name, sizeof(name), "module%u", i);
        builder_module(&builder, name, i % 2 ? "a=1 b" : "", data + i, sizes[i] - (i == 5 ? i : 0));
    }
    assert_boots();
    assert_int_equal(contract_bootinfo()->module_count, 7);
    for (unsigned int i = 0; i < 7; i++) {
        uint64_t bytes = sizes[i] - (i == 5 ? i : 0);

        snprintf(name, sizeof(name), "module%u", i);
        const struct bootinfo_module *module = assert_module(i, name, i % 2 ? "a=1 b" : "", bytes);
        if (bytes == 0)
            assert_int_equal(module->address, 0);
        else
            assert_file(module->address, data + i, bytes);
    }
}

/* It is no module for the kernel, wherever it stands. */
static void the_kernel_file_is_told_apart(void **state)
{
    (void)state;
    builder_module(&builder, "first", "", data, 100);
    builder_module(&builder, "kernel.elf", "", data + 1, 0x12345)->flags = PLAN_MODULE_KERNEL_FILE;
    builder_module(&builder, "last", "", data + 2, 100);
    assert_boots();
    assert_int_equal(contract_bootinfo()->module_count, 2);
    assert_file(assert_module(0, "first", "", 100)->address, data, 100);
    assert_file(assert_module(1, "last", "", 100)->address, data + 2, 100);
    assert_int_equal(contract_bootinfo()->kernel_file_bytes, 0x12345);
    assert_file(contract_bootinfo()->kernel_file, data + 1, 0x12345);
}

static void the_kernel_file_can_be_alone(void **state)
{
    (void)state;
    builder_module(&builder, "", "", data, PAGE)->flags = PLAN_MODULE_KERNEL_FILE;
    assert_boots();
    assert_int_equal(contract_bootinfo()->module_count, 0);
    assert_int_equal(contract_bootinfo()->modules, 0);
    assert_file(contract_bootinfo()->kernel_file, data, PAGE);
}

static void five_levels_have_modules_elsewhere(void **state)
{
    const struct bootinfo_request levels = {BOOTINFO_REQUEST_LEVELS, 1, {5, 0, 0, 0}};

    (void)state;
    builder_module(&builder, "m", "", data, 100);
    builder_request(&builder, BOOTINFO_REQUEST_LEVELS, 5, 0, 0, 0);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check(
        (struct contract_kernel){.has_5_levels = true, .requests = &levels, .request_count = 1},
        HIGH_VADDR, PADDR);
    assert_file(assert_module(0, "m", "", 100)->address, data, 100);
}

/* As many as the contract allows, on a page each where there is room: the map does not grow. */
static void there_can_be_65536_modules(void **state)
{
    enum { WITH_BYTES = 8000, MODULES = 65536 };

    (void)state;
    for (unsigned int i = 0; i < MODULES; i++)
        builder_module(&builder, i % 2 ? "odd" : "", "", data + i,
                       i < WITH_BYTES ? 1 + i % 500 : 0);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    assert_int_equal(contract_bootinfo()->module_count, MODULES);
    assert_in_range(contract_bootinfo()->memory_map_count, FAKE_RANGES, FAKE_RANGES + 8);
    for (unsigned int i = 0; i < MODULES; i++) {
        uint64_t bytes = i < WITH_BYTES ? 1 + i % 500 : 0;
        const struct bootinfo_module *module = assert_module(i, i % 2 ? "odd" : "", "", bytes);

        if (bytes > 0)
            assert_file(module->address, data + i, bytes);
    }
}

/* Bytes of memory below 4 GiB that lie apart: a module finds the hole that it fits into. */
static void modules_use_what_memory_there_is(void **state)
{
    static const struct bootinfo_memory_range ranges[] = {
        {FAKE_RAM_PADDR, 0x400000, BOOTINFO_MEMORY_USABLE, 0},
        {FAKE_RAM_PADDR + 0x800000, 0x100000, BOOTINFO_MEMORY_USABLE, 0},
        {FAKE_RAM_PADDR + 0xa00000, PAGE, BOOTINFO_MEMORY_USABLE, 0},
    };

    (void)state;
    fake_firmware.ranges = ranges;
    fake_firmware.range_count = 3;
    builder_module(&builder, "", "", data, LARGEST);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    assert_file(assert_module(0, "", "", LARGEST)->address, data, LARGEST);
    builder_module(&builder, "", "", data, LARGEST);
    small_kernel_fails(&builder, ERROR_NO_MEMORY);
    assert_non_null(strstr(fake_firmware.printed, "(module 0x1, bytes 0x300000)"));
}

static void assert_damage(const struct plan_module *module, uint64_t at, const char *place)
{
    builder.partition[module->payload_offset + at] ^= 0x20;
    small_kernel_fails(&builder, ERROR_PAYLOAD_DAMAGED);
    assert_non_null(strstr(fake_firmware.printed, place));
    builder.partition[module->payload_offset + at] ^= 0x20;
}

static void a_wrong_byte_is_found_and_its_module_named(void **state)
{
    struct plan_module *modules[3];

    (void)state;
    modules[0] = builder_module(&builder, "", "", data, 1000);
    modules[1] = builder_module(&builder, "", "", data, 1000);
    modules[1]->flags = PLAN_MODULE_KERNEL_FILE;
    modules[2] = builder_module(&builder, "", "", data, 1000);
    assert_damage(modules[0], 0, "(module 0x0, checksum 0x");
    assert_damage(modules[1], 500, "(kernel file 0x0, checksum 0x");
    assert_damage(modules[2], 999, "(module 0x1, checksum 0x");
    assert_boots();
}

static void a_bad_sector_is_an_error(void **state)
{
    struct plan_module *module;

    (void)state;
    module = builder_module(&builder, "", "", data, 1024);
    fake_firmware.bad_lba = BUILDER_PLAN_LBA + module->payload_offset / IMAGE_SECTOR_BYTES + 1;
    small_kernel_fails(&builder, ERROR_DISK_READ);
}

static void the_tls_template_is_told(void **state)
{
    struct plan_tls *tls;

    (void)state;
    tls = builder_tls(&builder, HIGH_VADDR + 0x5ff0, 0x20);
    tls->memory_bytes = 0x48;
    tls->align = 16;
    assert_boots();
    assert_int_equal(contract_bootinfo()->tls_template, HIGH_VADDR + 0x5ff0);
    assert_int_equal(contract_bootinfo()->tls_file_bytes, 0x20);
    assert_int_equal(contract_bootinfo()->tls_memory_bytes, 0x48);
    assert_int_equal(contract_bootinfo()->tls_align, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(there_can_be_none, set_up),
        cmocka_unit_test_setup(modules_are_loaded_in_order, set_up),
        cmocka_unit_test_setup(the_kernel_file_is_told_apart, set_up),
        cmocka_unit_test_setup(the_kernel_file_can_be_alone, set_up),
        cmocka_unit_test_setup(five_levels_have_modules_elsewhere, set_up),
        cmocka_unit_test_setup(there_can_be_65536_modules, set_up),
        cmocka_unit_test_setup(modules_use_what_memory_there_is, set_up),
        cmocka_unit_test_setup(a_wrong_byte_is_found_and_its_module_named, set_up),
        cmocka_unit_test_setup(a_bad_sector_is_an_error, set_up),
        cmocka_unit_test_setup(the_tls_template_is_told, set_up),
    };

    return cmocka_run_group_tests(tests, set_up_data, NULL);
}
