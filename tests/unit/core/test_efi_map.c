/*
 * The memory maps of UEFI firmware, sane and hostile, as the core sees them.
 */
#include "../uefi/efi_map.h"
#include "memory_map.h"

#include <efi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define MIB 0x100000ull
#define WB 0x8ull
#define MOST 4000u
#define LONG_BYTES 64u

static uint8_t buffer[MOST * LONG_BYTES];
static struct efi_map from;
static struct memory_map map;
static struct bootinfo_memory_range storage[MOST + 64];

static int set_up(void **state)
{
    (void)state;
    map = (struct memory_map){.ranges = storage, .capacity = sizeof(storage) / sizeof(storage[0])};
    from = (struct efi_map){buffer, 0, sizeof(EFI_MEMORY_DESCRIPTOR)};
    memset(buffer, 0xA5, sizeof(buffer));
    return 0;
}

static void put(uint32_t type, uint64_t paddr, uint64_t pages, uint64_t attributes)
{
    const EFI_MEMORY_DESCRIPTOR descriptor = {
        .Type = type, .PhysicalStart = paddr, .NumberOfPages = pages, .Attribute = attributes};

    memcpy(buffer + from.bytes, &descriptor, sizeof(descriptor));
    from.bytes += from.descriptor_bytes;
}

static uint32_t type_at(uint64_t paddr)
{
    for (size_t i = 0; i < map.count; i++) {
        if (paddr >= map.ranges[i].base_paddr &&
            paddr - map.ranges[i].base_paddr < map.ranges[i].bytes)
            return map.ranges[i].type;
    }
    return 0;
}

static void each_type_is_told(void **state)
{
    static const struct {
        uint32_t efi, told;
    } types[] = {
        {EfiReservedMemoryType, BOOTINFO_MEMORY_RESERVED},
        {EfiLoaderCode, MEMORY_LEASED},
        {EfiLoaderData, MEMORY_LEASED},
        {EfiBootServicesCode, MEMORY_LEASED},
        {EfiBootServicesData, MEMORY_LEASED},
        {EfiRuntimeServicesCode, BOOTINFO_MEMORY_EFI_RUNTIME},
        {EfiRuntimeServicesData, BOOTINFO_MEMORY_EFI_RUNTIME},
        {EfiConventionalMemory, MEMORY_LEASED},
        {EfiUnusableMemory, BOOTINFO_MEMORY_BAD},
        {EfiACPIReclaimMemory, BOOTINFO_MEMORY_ACPI_RECLAIMABLE},
        {EfiACPIMemoryNVS, BOOTINFO_MEMORY_ACPI_NVS},
        {EfiMemoryMappedIO, BOOTINFO_MEMORY_RESERVED},
        {EfiMemoryMappedIOPortSpace, BOOTINFO_MEMORY_RESERVED},
        {EfiPalCode, BOOTINFO_MEMORY_RESERVED},
        {14, BOOTINFO_MEMORY_RESERVED}, /* persistent */
        {15, BOOTINFO_MEMORY_RESERVED}, /* not accepted yet */
        {0x70000001, BOOTINFO_MEMORY_RESERVED},
        {0xffffffff, BOOTINFO_MEMORY_RESERVED},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        put(types[i].efi, (i + 1) * MIB, 16, WB);
    efi_map_add(&from, &map);
    for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(type_at((i + 1) * MIB), types[i].told);
        assert_int_equal(type_at((i + 1) * MIB + 16 * PAGE - 1), types[i].told);
        assert_int_equal(type_at((i + 1) * MIB + 16 * PAGE), 0);
    }
}

static void memory_for_somebody_is_not_for_all(void **state)
{
    (void)state;
    put(EfiConventionalMemory, MIB, 1, 0x1);
    put(EfiConventionalMemory, 2 * MIB, 1, WB | 0x40000);
    put(EfiBootServicesData, 3 * MIB, 1, 0x7);
    efi_map_add(&from, &map);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(type_at(i * MIB), BOOTINFO_MEMORY_RESERVED);
    assert_false(efi_map_range(&from, 0).is_free);
}

static void page_0_is_like_any_other(void **state)
{
    (void)state;
    put(EfiConventionalMemory, 0, 0xa0, WB);
    efi_map_add(&from, &map);
    assert_int_equal(type_at(0), MEMORY_LEASED);
    assert_int_equal(type_at(PAGE), MEMORY_LEASED);
}

static void descriptors_may_be_longer(void **state)
{
    (void)state;
    from.descriptor_bytes = LONG_BYTES;
    put(EfiConventionalMemory, MIB, 16, WB);
    put(EfiACPIMemoryNVS, 2 * MIB, 16, WB);
    assert_int_equal(efi_map_count(&from), 2);
    efi_map_add(&from, &map);
    assert_int_equal(type_at(MIB), MEMORY_LEASED);
    assert_int_equal(type_at(2 * MIB), BOOTINFO_MEMORY_ACPI_NVS);
}

static void descriptors_that_are_too_short_are_none(void **state)
{
    (void)state;
    put(EfiConventionalMemory, MIB, 16, WB);
    for (uint64_t bytes = 0; bytes < sizeof(EFI_MEMORY_DESCRIPTOR); bytes++) {
        from.descriptor_bytes = bytes;
        assert_int_equal(efi_map_count(&from), 0);
    }
    from.descriptor_bytes = sizeof(EFI_MEMORY_DESCRIPTOR);
    from.bytes--;
    assert_int_equal(efi_map_count(&from), 0);
}

static void empty_and_endless_ones_do_no_harm(void **state)
{
    (void)state;
    put(EfiReservedMemoryType, 2 * MIB, 0, WB);
    put(EfiConventionalMemory, MIB, 512, WB);
    put(EfiMemoryMappedIO, 1ull << 40, UINT64_MAX, WB);
    put(EfiRuntimeServicesData, UINT64_MAX - PAGE + 1, 1, WB);
    efi_map_add(&from, &map);
    assert_int_equal(type_at(2 * MIB), MEMORY_LEASED);
    assert_int_equal(type_at((1ull << 40) + PAGE), BOOTINFO_MEMORY_RESERVED);
    for (size_t i = 0; i < map.count; i++)
        assert_int_not_equal(map.ranges[i].bytes, 0);
}

static void the_worst_wins_where_they_overlap(void **state)
{
    (void)state;
    put(EfiRuntimeServicesData, 2 * MIB, 16, WB);
    put(EfiConventionalMemory, MIB, 1024, WB);
    put(EfiReservedMemoryType, 3 * MIB, 16, WB);
    efi_map_add(&from, &map);
    assert_int_equal(type_at(2 * MIB - 1), MEMORY_LEASED);
    assert_int_equal(type_at(2 * MIB), BOOTINFO_MEMORY_EFI_RUNTIME);
    assert_int_equal(type_at(2 * MIB + 16 * PAGE), MEMORY_LEASED);
    assert_int_equal(type_at(3 * MIB), BOOTINFO_MEMORY_RESERVED);
}

static void thousands_of_them(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MOST; i++)
        put(i % 2 ? EfiConventionalMemory : EfiBootServicesData, MIB + (MOST - i) * PAGE, 1, WB);
    efi_map_add(&from, &map);
    assert_int_equal(map.count, 1);
    assert_int_equal(map.ranges[0].bytes, MOST * PAGE);
}

/* What the firmware has kept since, in a map that was handed out. */
static void what_was_kept_is_taken_from_what_was_usable(void **state)
{
    (void)state;
    memory_map_add(&map, MIB, 4 * MIB, BOOTINFO_MEMORY_USABLE);
    memory_map_retype(&map, MIB, 2 * PAGE, BOOTINFO_MEMORY_USABLE, BOOTINFO_MEMORY_KERNEL);
    put(EfiLoaderData, MIB, 1024, WB);
    put(EfiRuntimeServicesData, MIB + PAGE, 2, WB);
    put(EfiACPIReclaimMemory, 2 * MIB, 1, WB);
    efi_map_add_kept(&from, &map);
    assert_int_equal(type_at(MIB + PAGE), BOOTINFO_MEMORY_KERNEL);
    assert_int_equal(type_at(MIB + 2 * PAGE), BOOTINFO_MEMORY_EFI_RUNTIME);
    assert_int_equal(type_at(MIB + 3 * PAGE), BOOTINFO_MEMORY_USABLE);
    assert_int_equal(type_at(2 * MIB), BOOTINFO_MEMORY_ACPI_RECLAIMABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_type_is_told, set_up),
        cmocka_unit_test_setup(memory_for_somebody_is_not_for_all, set_up),
        cmocka_unit_test_setup(page_0_is_like_any_other, set_up),
        cmocka_unit_test_setup(descriptors_may_be_longer, set_up),
        cmocka_unit_test_setup(descriptors_that_are_too_short_are_none, set_up),
        cmocka_unit_test_setup(empty_and_endless_ones_do_no_harm, set_up),
        cmocka_unit_test_setup(the_worst_wins_where_they_overlap, set_up),
        cmocka_unit_test_setup(thousands_of_them, set_up),
        cmocka_unit_test_setup(what_was_kept_is_taken_from_what_was_usable, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
