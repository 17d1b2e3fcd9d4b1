/*
 * The way from the root pointer to the list of CPUs, when tables are as they should be and when
 * they are not: nothing outside of the memory map is looked at, and no length is believed.
 */
#include "acpi.h"

#include "fake_cpus.h"
#include "fake_firmware.h"
#include "memory_map.h"

#include "../runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOCAL_APIC(processor, id, flags) 0, 8, (processor), (id), (flags), 0, 0, 0
#define X2APIC(id, flags, processor)                                                               \
    9, 16, 0, 0, (id)&0xff, (id) >> 8 & 0xff, 0, 0, (flags), 0, 0, 0, (processor), 0, 0, 0

static struct memory_map map;

static uint8_t *at(uint64_t paddr)
{
    return (uint8_t *)(uintptr_t)paddr;
}

static int set_up(void **state)
{
    static const uint8_t entries[] = {LOCAL_APIC(3, 0, 1)};

    (void)state;
    fake_start();
    fake_madt(entries, sizeof(entries));
    fake_empty_map(&map);
    for (size_t i = 0; i < FAKE_RANGES; i++)
        memory_map_add(&map, fake_ranges[i].base_paddr, fake_ranges[i].bytes, fake_ranges[i].type);
    return 0;
}

static uint64_t found(void)
{
    return (uintptr_t)acpi_find_madt(FAKE_RSDP_PADDR, &map).start;
}

/* The ids of all CPUs of a MADT of these entries. */
static size_t cpus(const void *entries, size_t bytes, struct acpi_cpu *list, size_t most)
{
    uint32_t offset = 0;
    size_t count = 0;

    fake_madt(entries, bytes);
    const struct acpi_table madt = acpi_find_madt(FAKE_RSDP_PADDR, &map);
    while (count < most && acpi_next_cpu(&madt, &offset, &list[count]))
        count++;
    return count;
}

/* An RSDT, which has addresses of 32 bits, to the MADT; the root pointer of ACPI 1.0 has nothing
   else. */
static void make_rsdt(uint8_t revision)
{
    const uint32_t paddr = (uint32_t)FAKE_RSDP_PADDR + 0x200, madt = (uint32_t)FAKE_MADT_PADDR;
    uint8_t *rsdp = at(FAKE_RSDP_PADDR);

    memcpy(at(paddr + 36), &madt, sizeof(madt));
    fake_table(paddr, "RSDT", 40);
    memcpy(rsdp + 16, &paddr, sizeof(paddr));
    rsdp[15] = revision;
    fake_checksum(rsdp, 20, 8);
    fake_checksum(rsdp, 36, 32);
}

static void the_xsdt_leads_to_the_madt(void **state)
{
    (void)state;
    assert_int_equal(found(), FAKE_MADT_PADDR);
}

static void the_rsdt_does_in_acpi_1_and_where_the_xsdt_is_broken(void **state)
{
    (void)state;
    make_rsdt(0);
    at(FAKE_RSDP_PADDR)[24] ^= 0xff; /* no part of it in ACPI 1.0 */
    assert_int_equal(found(), FAKE_MADT_PADDR);
    set_up(state);
    make_rsdt(2);
    at(FAKE_RSDP_PADDR + 0x100)[20] ^= 1;
    assert_int_equal(found(), FAKE_MADT_PADDR);
    set_up(state);
    make_rsdt(2);
    at(FAKE_RSDP_PADDR)[33] ^= 1; /* the longer checksum */
    assert_int_equal(found(), FAKE_MADT_PADDR);
}

static void tables_among_others_are_found(void **state)
{
    const uint64_t list[] = {0, 0x1234567890, 0xfffffffffffffff0, FAKE_RSDP_PADDR + 0x300,
                             FAKE_MADT_PADDR};

    (void)state;
    fake_table(FAKE_RSDP_PADDR + 0x300, "FACP", 36);
    memcpy(at(FAKE_RSDP_PADDR + 0x100 + 36), list, sizeof(list));
    fake_table(FAKE_RSDP_PADDR + 0x100, "XSDT", 36 + sizeof(list) + 4); /* and half an address */
    assert_int_equal(found(), FAKE_MADT_PADDR);
}

static void a_broken_root_pointer_leads_nowhere(void **state)
{
    (void)state;
    assert_null(acpi_find_madt(0, &map).start);
    at(FAKE_RSDP_PADDR)[10] ^= 1;
    assert_int_equal(found(), 0);
    set_up(state);
    at(FAKE_RSDP_PADDR)[0] = 'X';
    fake_checksum(at(FAKE_RSDP_PADDR), 20, 8);
    assert_int_equal(found(), 0);
}

static void a_broken_table_is_none(void **state)
{
    static const uint32_t lengths[] = {0, 35, 0x10000, 0xffffffff};

    (void)state;
    at(FAKE_MADT_PADDR)[44] ^= 1;
    assert_int_equal(found(), 0);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        set_up(state);
        memcpy(at(FAKE_MADT_PADDR + 4), &lengths[i], 4);
        assert_int_equal(found(), 0);
    }
}

/* At the very end of what the map tells of, and one byte behind it: the page after that faults. */
static void a_table_may_end_where_memory_ends(void **state)
{
    const uint64_t madt = FAKE_RAM_END - 52;

    (void)state;
    memcpy(at(madt), at(FAKE_MADT_PADDR), 52);
    memcpy(at(FAKE_RSDP_PADDR + 0x100 + 36), &madt, sizeof(madt));
    fake_table(FAKE_RSDP_PADDR + 0x100, "XSDT", 44);
    assert_int_equal(found(), madt);
    at(madt)[4]++;
    assert_int_equal(found(), 0);
}

static void cpus_are_listed_in_order(void **state)
{
    static const uint8_t entries[] = {
        1,
        12,
        0,
        0,
        0,
        0,
        0xc0,
        0xfe,
        0,
        0,
        0,
        0, /* an I/O APIC */
        LOCAL_APIC(7, 4, 1),
        LOCAL_APIC(8, 5, 0),    /* not there */
        LOCAL_APIC(9, 6, 2),    /* may come later */
        LOCAL_APIC(9, 0xff, 1), /* all of them */
        X2APIC(0x1234, 1, 10),
        X2APIC(0x1235, 0, 11),
        LOCAL_APIC(12, 2, 3),
    };
    struct acpi_cpu list[8];

    (void)state;
    assert_int_equal(cpus(entries, sizeof(entries), list, 8), 3);
    assert_int_equal(list[0].apic_id, 4);
    assert_int_equal(list[0].processor_id, 7);
    assert_int_equal(list[1].apic_id, 0x1234);
    assert_int_equal(list[1].processor_id, 10);
    assert_int_equal(list[2].apic_id, 2);
    assert_int_equal(list[2].processor_id, 12);
}

static void entries_that_make_no_sense_end_the_list(void **state)
{
    static const uint8_t endings[][3] = {{0, 0, 0}, {0, 1, 0}, {0, 8, 1}, {9, 16, 0}, {0, 255, 0}};
    struct acpi_cpu list[8];

    (void)state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        uint8_t entries[] = {LOCAL_APIC(1, 1, 1), endings[i][0], endings[i][1], endings[i][2]};

        assert_int_equal(cpus(entries, sizeof(entries), list, 8), 1);
        assert_int_equal(cpus(entries, sizeof(entries) - 2, list, 8), 1); /* half a header */
    }
    /* Too short for what it is, but the next one can be found. */
    static const uint8_t shorts[] = {
        0, 4, 1, 1, 9, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, LOCAL_APIC(1, 3, 1)};
    assert_int_equal(cpus(shorts, sizeof(shorts), list, 8), 1);
    assert_int_equal(list[0].apic_id, 3);
}

/* A table without the MADT's own fields has no entries. */
static void a_madt_may_be_empty(void **state)
{
    struct acpi_cpu cpu;
    uint32_t offset = 0;

    (void)state;
    fake_table(FAKE_MADT_PADDR, "APIC", 36);
    const struct acpi_table madt = acpi_find_madt(FAKE_RSDP_PADDR, &map);
    assert_non_null(madt.start);
    assert_false(acpi_next_cpu(&madt, &offset, &cpu));
    assert_int_equal(cpus("", 0, &cpu, 1), 0);
}

/* Junk with a right checksum, at the end of memory: whoever reads too far faults. */
static void junk_does_no_harm(void **state)
{
    struct random random = {1};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const uint32_t bytes = 36 + (uint32_t)(random_bits(&random) % 200);
        const uint64_t madt = FAKE_RAM_END - bytes;
        struct acpi_cpu cpu;
        uint32_t offset = 0;

        for (uint32_t i = 0; i < bytes; i++)
            at(madt)[i] = (uint8_t)(random_bits(&random) % (i % 3 ? 256 : 17));
        fake_table(madt, "APIC", bytes);
        memcpy(at(FAKE_RSDP_PADDR + 0x100 + 36), &madt, sizeof(madt));
        fake_table(FAKE_RSDP_PADDR + 0x100, "XSDT", 44);
        const struct acpi_table table = acpi_find_madt(FAKE_RSDP_PADDR, &map);
        assert_non_null(table.start);
        for (uint32_t last = 0; acpi_next_cpu(&table, &offset, &cpu); last = offset)
            assert_in_range(offset, last + 8, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_xsdt_leads_to_the_madt, set_up),
        cmocka_unit_test_setup(the_rsdt_does_in_acpi_1_and_where_the_xsdt_is_broken, set_up),
        cmocka_unit_test_setup(tables_among_others_are_found, set_up),
        cmocka_unit_test_setup(a_broken_root_pointer_leads_nowhere, set_up),
        cmocka_unit_test_setup(a_broken_table_is_none, set_up),
        cmocka_unit_test_setup(a_table_may_end_where_memory_ends, set_up),
        cmocka_unit_test_setup(cpus_are_listed_in_order, set_up),
        cmocka_unit_test_setup(entries_that_make_no_sense_end_the_list, set_up),
        cmocka_unit_test_setup(a_madt_may_be_empty, set_up),
        cmocka_unit_test_setup(junk_does_no_harm, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
