/*
 * Starting other CPUs: whom the kernel is told of, what each is sent and when, and what becomes of
 * those that do not come.
 */
#include "errors.h"
#include "fake_cpus.h"
#include "small_kernel.h"

#include <bootimage/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HIGH_VADDR 0xffffffff80000000ull
#define PADDR FAKE_RAM_PADDR
#define ABSENT BOOTINFO_CPU_ABSENT
#define PARKED BOOTINFO_CPU_PARKED

static struct plan_builder builder;
static const struct bootinfo_request asked = {BOOTINFO_REQUEST_CPUS, 1, {1, 0, 0, 0}};

static int set_up(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    small_kernel_build(&builder, HIGH_VADDR, PADDR);
    return 0;
}

/* A machine whose MADT lists these ids as enabled, in the way of x2APIC; processor n has UID 100 +
   n. All but the boot processor's obey the first start-up message. */
static void machine(const uint32_t *ids, size_t count)
{
    uint8_t entries[FAKE_CPUS * 2][16];

    for (size_t i = 0; i < count; i++) {
        const uint32_t entry[] = {9 | 16 << 8, ids[i], 1, 100 + (uint32_t)i};

        memcpy(entries[i], entry, sizeof(entry));
        if (ids[i] != fake_apic.id)
            fake_apic.cpus[fake_apic.cpu_count++] =
                (struct fake_cpu){.apic_id = ids[i], .follows_startup = 1, .parks_after_us = 5};
    }
    fake_madt(entries, count * sizeof(entries[0]));
}

static const struct bootinfo_cpu *cpus(void)
{
    return contract_at(contract_bootinfo()->cpus);
}

/* Boots a kernel that asks for all CPUs and is told of this many. */
static void assert_boots(uint64_t count)
{
    builder_request(&builder, BOOTINFO_REQUEST_CPUS, 1, 0, 0, 0);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check(
        (struct contract_kernel){.cpu_count = count, .requests = &asked, .request_count = 1},
        HIGH_VADDR, PADDR);
    assert_int_equal((uintptr_t)cpus() % 64, 0);
    assert_int_equal(cpus()[0].apic_id, fake_apic.id);
    assert_int_equal(cpus()[0].state, BOOTINFO_CPU_BOOT);
    assert_int_equal(fake_apic.strangers, 0);
}

static void assert_cpu(uint64_t index, uint32_t apic_id, uint32_t processor_id, uint32_t state)
{
    const struct bootinfo *info = contract_bootinfo();
    const struct bootinfo_cpu *cpu = &cpus()[index];

    assert_int_equal(cpu->apic_id, apic_id);
    assert_int_equal(cpu->processor_id, processor_id);
    assert_int_equal(cpu->state, state);
    assert_int_equal(cpu->reserved, 0);
    assert_int_equal(cpu->stack_top, info->stack_top - index * (info->stack_bytes + 4096));
    assert_int_equal(cpu->argument, 0);
    assert_int_equal(cpu->goto_address, 0);
}

/* The fake CPU of this number parked in the struct of that id. */
static void assert_parked_in(size_t fake, uint64_t index)
{
    assert_int_equal(fake_apic.cpus[fake].cpu_paddr, (uintptr_t)&cpus()[index]);
    assert_int_equal(fake_apic.startup_page_paddr, fake_firmware.low_page_paddr);
}

static void no_cpu_is_touched_without_a_request(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 1}, 2);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){0}, HIGH_VADDR, PADDR);
    assert_int_equal(fake_apic.cpus[0].inits, 0);
    assert_int_equal(fake_apic.cpus[0].startups, 0);
}

static void no_cpu_is_touched_where_the_request_says_so(void **state)
{
    static const struct bootinfo_request none = {BOOTINFO_REQUEST_CPUS, 1, {0, 0, 0, 0}};

    (void)state;
    machine((const uint32_t[]){0, 1}, 2);
    builder_request(&builder, BOOTINFO_REQUEST_CPUS, 0, 0, 0, 0);
    assert_int_equal(small_kernel_boot(&builder), FAKE_ENTERED);
    small_kernel_check((struct contract_kernel){.requests = &none, .request_count = 1}, HIGH_VADDR,
                       PADDR);
    assert_int_equal(fake_apic.cpus[0].inits, 0);
}

static void all_are_parked_in_the_order_of_the_table(void **state)
{
    (void)state;
    machine((const uint32_t[]){4, 0, 2, 6}, 4);
    assert_boots(4);
    assert_cpu(0, 0, 101, BOOTINFO_CPU_BOOT);
    assert_cpu(1, 4, 100, PARKED);
    assert_cpu(2, 2, 102, PARKED);
    assert_cpu(3, 6, 103, PARKED);
    for (size_t i = 0; i < 3; i++) {
        assert_parked_in(i, i + 1);
        assert_int_equal(fake_apic.cpus[i].inits, 1);
    }
    assert_true(fake_apic.now_us >= 10000);
}

static void ids_of_32_bits_in_x2apic_mode(void **state)
{
    (void)state;
    fake_apic.has_x2apic = true;
    fake_apic.id = 0x10000;
    machine((const uint32_t[]){0x10000, 255, 256, 0x12345678}, 4);
    assert_boots(4);
    assert_cpu(1, 255, 101, PARKED);
    assert_cpu(2, 256, 102, PARKED);
    assert_cpu(3, 0x12345678, 103, PARKED);
    for (size_t i = 0; i < 3; i++)
        assert_parked_in(i, i + 1);
}

/* Message 255 would go to all. */
static void ids_that_xapic_mode_cannot_name_are_absent(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 254, 255, 256 + 1}, 4);
    assert_boots(4);
    assert_cpu(1, 254, 101, PARKED);
    assert_cpu(2, 255, 102, ABSENT);
    assert_cpu(3, 257, 103, ABSENT);
}

static void a_second_message_is_sent_where_it_is_needed(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 1, 2}, 3);
    fake_apic.cpus[0].follows_startup = 2;
    assert_boots(3);
    assert_cpu(1, 1, 101, PARKED);
    assert_cpu(2, 2, 102, PARKED);
    assert_int_equal(fake_apic.cpus[0].startups, 2);
    assert_int_equal(fake_apic.cpus[1].startups, 1);
}

/* It would answer, but only after the time limit: by then it has been reset. */
static void absent_ones_are_reset_and_the_others_get_their_own(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 1, 2, 3}, 4);
    fake_apic.cpus[0].follows_startup = 0;
    fake_apic.cpus[1].parks_after_us = 1000300;
    assert_boots(4);
    assert_cpu(1, 1, 101, ABSENT);
    assert_cpu(2, 2, 102, ABSENT);
    assert_cpu(3, 3, 103, PARKED);
    assert_int_equal(fake_apic.cpus[0].inits, 2);
    assert_int_equal(fake_apic.cpus[1].inits, 2);
    assert_int_equal(fake_apic.cpus[1].cpu_paddr, 0);
    assert_parked_in(2, 3);
}

static void none_is_listed_twice(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 1}, 2);
    const uint8_t entries[] = {0, 8, 1, 1, 1, 0, 0, 0, 0, 8, 9, 0, 1, 0, 0, 0,
                               0, 8, 3, 1, 1, 0, 0, 0, 0, 8, 4, 0, 1, 0, 0, 0};
    fake_madt(entries, sizeof(entries));
    assert_boots(2);
    assert_int_equal(cpus()[0].processor_id, 4);
    assert_cpu(1, 1, 1, PARKED);
    assert_int_equal(fake_apic.cpus[0].inits, 1);
}

static void the_boot_processor_need_not_be_listed(void **state)
{
    (void)state;
    fake_apic.id = 9;
    machine((const uint32_t[]){1, 2}, 2);
    assert_boots(3);
    assert_cpu(0, 9, 0, BOOTINFO_CPU_BOOT);
    assert_cpu(2, 2, 101, PARKED);
}

static void without_a_table_it_is_alone(void **state)
{
    (void)state;
    fake_firmware.described.rsdp_paddr = 0;
    assert_boots(1);
    assert_cpu(0, 0, 0, BOOTINFO_CPU_BOOT);
    assert_int_equal(fake_apic.now_us, 1);
}

/* Turned off, out of reach, or not there: nobody can be called. Its id is what CPUID says. */
static void without_an_apic_all_others_are_absent(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        set_up(state);
        fake_firmware.cpu.initial_apic_id = fake_apic.id = 3;
        machine((const uint32_t[]){3, 1}, 2);
        fake_firmware.cpu.has_apic = way != 0;
        if (way == 1)
            fake_apic.base &= ~0x800ull;
        if (way == 2)
            fake_apic.base |= 1ull << 36;
        assert_boots(2);
        assert_cpu(1, 1, 101, ABSENT);
        assert_int_equal(fake_apic.cpus[0].inits, 0);
    }
}

static void too_little_memory_for_the_stacks(void **state)
{
    (void)state;
    machine((const uint32_t[]){0, 1, 2, 3}, 4);
    builder_start(&builder);
    small_kernel_build(&builder, HIGH_VADDR, PADDR)->stack_bytes = FAKE_RAM_BYTES / 4;
    builder_request(&builder, BOOTINFO_REQUEST_CPUS, 1, 0, 0, 0);
    small_kernel_fails(&builder, ERROR_NO_MEMORY);
    assert_int_equal(fake_apic.cpus[0].inits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_cpu_is_touched_without_a_request, set_up),
        cmocka_unit_test_setup(no_cpu_is_touched_where_the_request_says_so, set_up),
        cmocka_unit_test_setup(all_are_parked_in_the_order_of_the_table, set_up),
        cmocka_unit_test_setup(ids_of_32_bits_in_x2apic_mode, set_up),
        cmocka_unit_test_setup(ids_that_xapic_mode_cannot_name_are_absent, set_up),
        cmocka_unit_test_setup(a_second_message_is_sent_where_it_is_needed, set_up),
        cmocka_unit_test_setup(absent_ones_are_reset_and_the_others_get_their_own, set_up),
        cmocka_unit_test_setup(none_is_listed_twice, set_up),
        cmocka_unit_test_setup(the_boot_processor_need_not_be_listed, set_up),
        cmocka_unit_test_setup(without_a_table_it_is_alone, set_up),
        cmocka_unit_test_setup(without_an_apic_all_others_are_absent, set_up),
        cmocka_unit_test_setup(too_little_memory_for_the_stacks, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
