/*
 * Kernels of the Limine boot protocol: what only some machines have, and what a plan may not ask
 * for. What the answers say, the kernel of tests/boot looks at.
 */
#include "loader.h"

#include "errors.h"
#include "fake_cpus.h"
#include "small_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VADDR 0xffffffff80000000ull
#define PADDR FAKE_RAM_PADDR
#define HHDM BOOTINFO_PHYSICAL_MEMORY
/* Where the kernel's requests are, in memory that it has zeroed. */
#define REQUESTS 0x6000u
#define RESPONSE 40u

static struct plan_builder builder;
static struct plan_limine *limine;

static int set_up(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    small_kernel_build(&builder, VADDR, PADDR)->protocol = PLAN_PROTOCOL_LIMINE;
    limine = builder_limine(&builder, 3, LIMINE_FEATURES - 1);
    for (uint32_t i = 0; i < limine->count; i++)
        limine->requests[i] = (struct plan_limine_request){VADDR + REQUESTS + 64 * i, i + 1, 0};
    return 0;
}

/* What the kernel finds in a request; 0: nothing. */
static uint64_t response_vaddr(enum plan_limine_feature feature)
{
    uint64_t vaddr;

    memcpy(&vaddr,
           (const uint8_t *)(uintptr_t)(PADDR + REQUESTS + 64 * ((uint32_t)feature - 1) + RESPONSE),
           sizeof(vaddr));
    return vaddr;
}

static const uint64_t *response(enum plan_limine_feature feature)
{
    assert_in_range(response_vaddr(feature), HHDM + FAKE_RAM_PADDR, HHDM + FAKE_RAM_END - 1);
    return (const void *)(uintptr_t)(response_vaddr(feature) - HHDM);
}

static void boot(void)
{
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    assert_true(fake_firmware.left && fake_firmware.masked && fake_firmware.given_back);
    assert_true(fake_firmware.handover.is_limine);
    assert_int_equal(fake_firmware.handover.argument, 0);
    assert_int_equal(fake_firmware.handover.entry_vaddr, VADDR + SMALL_KERNEL_ENTRY);
}

static void a_machine_with_nothing(void **state)
{
    (void)state;
    fake_firmware.described.rsdp_paddr = 0;
    fake_firmware.described.smbios_paddr = 0;
    fake_firmware.wall_clock_s = 0;
    boot();
    assert_int_equal(response_vaddr(PLAN_LIMINE_RSDP), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_SMBIOS), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_DATE_AT_BOOT), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_FRAMEBUFFER), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_MODULE), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_EXECUTABLE_FILE), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_EFI_SYSTEM_TABLE), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_EFI_MEMORY_MAP), 0);
    assert_int_equal(response_vaddr(PLAN_LIMINE_PERFORMANCE),
                     0); /* nobody knows how fast its counter runs */
    assert_int_equal(response(PLAN_LIMINE_MEMORY_MAP)[0], 0);
    assert_int_equal(fake_firmware.io_apic_paddr, 0);
}

static void times(void **state)
{
    (void)state;
    fake_firmware.tsc_hz = 2000000;
    boot();
    const uint64_t *words = response(PLAN_LIMINE_PERFORMANCE);
    assert_int_equal(words[1], 0);
    assert_int_equal(words[2], 0x1111 / 2);
    assert_true(words[3] > words[2]);
}

static void addresses_of_tables_by_revision(void **state)
{
    for (uint32_t revision = 0; revision <= 3; revision++) {
        const uint64_t offset = revision < 3 ? HHDM : 0;

        set_up(state);
        fake_firmware.described.smbios3_paddr = 0xf6000;
        fake_firmware.described.efi_system_table_paddr = 0x12345000;
        limine->base_revision = revision;
        boot();
        assert_int_equal(response(PLAN_LIMINE_RSDP)[1], FAKE_RSDP_PADDR + offset);
        assert_int_equal(response(PLAN_LIMINE_SMBIOS)[1], 0xf5b00 + offset);
        assert_int_equal(response(PLAN_LIMINE_SMBIOS)[2], 0xf6000 + offset);
        assert_int_equal(response(PLAN_LIMINE_EFI_SYSTEM_TABLE)[1], 0x12345000 + offset);
    }
}

/* A CPU that comes, one that does not, and an I/O APIC. */
static void add_machine(void)
{
    static const uint32_t entries[] = {
        9 | 16 << 8, 0,          1, 100, /* the boot processor */
        9 | 16 << 8, 1,          1, 101, /* */
        9 | 16 << 8, 2,          1, 102, /* */
        1 | 12 << 8, 0xfec00000, 0,      /* I/O APIC */
    };

    fake_apic.cpus[0] = (struct fake_cpu){.apic_id = 1, .follows_startup = 0};
    fake_apic.cpus[1] = (struct fake_cpu){.apic_id = 2, .follows_startup = 1, .parks_after_us = 5};
    fake_apic.cpu_count = 2;
    fake_madt(entries, sizeof(entries));
    builder_request(&builder, BOOTINFO_REQUEST_CPUS, 1, 0, 0, 0);
}

static const uint32_t *cpu_info(uint64_t index)
{
    const uint64_t *pointers = (const void *)(uintptr_t)(response(PLAN_LIMINE_MP)[3] - HHDM);

    return (const void *)(uintptr_t)(pointers[index] - HHDM);
}

static void cpus_that_came(void **state)
{
    (void)state;
    add_machine();
    fake_apic.id = 0;
    boot();
    assert_int_equal(response(PLAN_LIMINE_MP)[1], 0);
    assert_int_equal(response(PLAN_LIMINE_MP)[2], 2);
    assert_int_equal(cpu_info(0)[0], 100);
    assert_int_equal(cpu_info(0)[1], 0);
    assert_int_equal(cpu_info(1)[0], 102);
    assert_int_equal(cpu_info(1)[1], 2);
    /* It waits there. */
    const struct bootinfo_cpu *cpu = (const void *)(uintptr_t)fake_apic.cpus[1].cpu_paddr;
    assert_int_equal(cpu->argument, (uintptr_t)cpu_info(1) + HHDM);
    assert_int_equal(fake_firmware.io_apic_paddr, 0xfec00000);
}

static void an_io_apic_that_cannot_be(void **state)
{
    static const uint32_t addresses[] = {0x1000, FAKE_RAM_PADDR, FAKE_RAM_END - 0x1000};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const uint32_t entry[] = {1 | 12 << 8, addresses[i], 0};

        set_up(state);
        fake_madt(entry, sizeof(entry));
        boot();
        assert_int_equal(fake_firmware.io_apic_paddr, 0);
    }
}

static void the_mode_of_the_apic(void **state)
{
    for (int has = 0; has <= 1; has++) {
        for (int wants = 0; wants <= 1; wants++) {
            set_up(state);
            add_machine();
            fake_firmware.cpu.has_x2apic = has;
            limine->flags = wants ? PLAN_LIMINE_X2APIC : 0;
            boot();
            assert_int_equal(fake_apic.has_x2apic, has && wants);
            assert_int_equal(fake_firmware.handover.has_x2apic, has && wants);
            assert_int_equal(response(PLAN_LIMINE_MP)[1] & 1, has && wants);
            assert_int_equal(response(PLAN_LIMINE_MP)[2], 2);
        }
    }
}

/* Other CPUs get the boot processor's, of which MTRR_DEF_TYPE comes last. */
static void memory_types(void **state)
{
    static const uint32_t numbers[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
                                       0x26d, 0x26e, 0x26f, 0x200, 0x201, 0x202, 0x203, 0x2ff};
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);

    (void)state;
    add_machine();
    fake_firmware.cpu.has_mtrrs = true;
    boot();
    const struct handover_msr *list = (const void *)(uintptr_t)fake_firmware.copied.mtrrs_paddr;
    assert_int_equal(fake_firmware.copied.mtrr_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list[i].number, numbers[i]);
        assert_int_equal(list[i].value, FAKE_MTRR_VALUE + numbers[i]);
    }
}

static void memory_types_of_a_cpu_without(void **state)
{
    (void)state;
    add_machine();
    boot();
    assert_int_equal(fake_firmware.copied.mtrr_count, 0);
}

static void plans_that_are_refused(void **state)
{
    set_up(state);
    limine->base_revision = 4;
    small_kernel_fails(&builder, ERROR_PLAN_UNKNOWN);
    set_up(state);
    limine->flags = 2;
    small_kernel_fails(&builder, ERROR_PLAN_UNKNOWN);
    for (uint32_t feature = 0; feature <= LIMINE_FEATURES; feature += LIMINE_FEATURES) {
        set_up(state);
        limine->requests[3].feature = feature;
        small_kernel_fails(&builder, ERROR_PLAN_UNKNOWN);
    }
    set_up(state);
    limine->requests[3].feature = 5;
    small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
    const uint64_t ends[] = {VADDR - 8, VADDR + SMALL_KERNEL_BYTES - 40, VADDR + REQUESTS + 4, 0,
                             UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        set_up(state);
        limine->requests[3].vaddr = ends[i];
        small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
    }
    for (uint32_t change = 1; change <= 2; change++) {
        set_up(state);
        limine->count += change == 1 ? 1 : UINT32_MAX;
        small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
    }
    set_up(state);
    limine->record.type = 99;
    limine->record.flags = 0;
    small_kernel_fails(&builder, ERROR_PLAN_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_with_nothing, set_up),
        cmocka_unit_test_setup(times, set_up),
        cmocka_unit_test_setup(addresses_of_tables_by_revision, set_up),
        cmocka_unit_test_setup(cpus_that_came, set_up),
        cmocka_unit_test_setup(an_io_apic_that_cannot_be, set_up),
        cmocka_unit_test_setup(the_mode_of_the_apic, set_up),
        cmocka_unit_test_setup(memory_types, set_up),
        cmocka_unit_test_setup(memory_types_of_a_cpu_without, set_up),
        cmocka_unit_test_setup(plans_that_are_refused, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
