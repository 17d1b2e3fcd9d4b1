/*
 * Kernels that are entered without paging: where they and what they are told lie, and how they are
 * entered. What the structures say, kernels of tests/boot look at.
 */
#include "loader.h"

#include "errors.h"
#include "fake_firmware.h"
#include "plan_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB 0x100000ull
#define LOW_PADDR 0x10000u
#define KERNEL BUILDER_PHYSICAL_PADDR

static struct plan_builder builder;
static struct firmware_boot boot;

static void start(uint32_t protocol)
{
    fake_start();
    builder_start(&builder);
    builder_physical(&builder, protocol);
}

static void boot_it(void *argument)
{
    (void)argument;
    loader_main(&boot);
}

static enum fake_end run(void)
{
    builder_finish(&builder);
    boot = builder_boot(&builder);
    return fake_run(boot_it, NULL);
}

static const struct handover_move *moves(void)
{
    return (const void *)(uintptr_t)fake_firmware.handover.moves_paddr;
}

/* Where something that the kernel finds at paddr is now, before the last moves. */
static const void *now_at(uint64_t paddr)
{
    for (uint64_t i = 0; i < fake_firmware.handover.move_count; i++) {
        const struct handover_move *move = &moves()[i];

        if (paddr >= move->to_paddr && paddr - move->to_paddr < move->bytes)
            paddr = move->from_paddr + (paddr - move->to_paddr);
    }
    return (const void *)(uintptr_t)paddr;
}

static uint32_t number(uint64_t paddr)
{
    uint32_t value;

    memcpy(&value, now_at(paddr), sizeof(value));
    return value;
}

/* No page tables, no mask where the protocol keeps the interrupts, and nothing in the kernel's gap.
 */
static void assert_entered(uint64_t entry, bool masked)
{
    const struct handover *handover = &fake_firmware.handover;

    assert_true(fake_firmware.left);
    assert_int_equal(fake_firmware.masked, masked);
    assert_int_equal(handover->tables_paddr, 0);
    assert_int_equal(handover->entry_vaddr, entry);
    assert_true(handover->page_paddr >= KERNEL + BUILDER_PHYSICAL_BYTES ||
                handover->page_paddr + 0x1000 <= KERNEL);
}

static void multiboot_1(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_MULTIBOOT1);
    assert_int_equal(run(), FAKE_ENTERED);
    assert_entered(KERNEL + 0x10, false);
    const uint32_t info = fake_firmware.handover.registers.ebx;
    assert_int_equal(fake_firmware.handover.registers.eax, 0x2badb002);
    assert_int_equal(info, LOW_PADDR); /* below 640 KiB, so it is moved there */
    assert_int_equal(fake_firmware.handover.move_count, 1);
    assert_string_equal(now_at(number(info + 16)), "one two");
    assert_int_equal(number(info + 20), 2);
    const uint32_t modules = number(info + 24);
    assert_string_equal(now_at(number(modules + 8)), "first with arguments");
    assert_int_equal(number(modules + 4) - number(modules), 0x1234);
    assert_int_equal(number(modules) % 0x1000, 0);
    assert_true(number(modules) >= KERNEL + BUILDER_PHYSICAL_BYTES || number(modules) < KERNEL);
    assert_string_equal(now_at(number(modules + 16 + 8)), "second");
    assert_int_equal(number(info + 28), 3);
    assert_memory_equal(now_at(number(number(info + 36) + 2 * 40 + 12)), "\0.text", 6);
    assert_int_equal(number(info + 4), 639 - 3); /* whole pages */
}

static void multiboot_2(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_MULTIBOOT2);
    assert_int_equal(run(), FAKE_ENTERED);
    assert_entered(KERNEL + 0x10, false);
    const uint32_t info = fake_firmware.handover.registers.ebx;
    assert_int_equal(fake_firmware.handover.registers.eax, 0x36d76289);
    assert_int_equal(info, LOW_PADDR);
    assert_int_equal(number(info + number(info) - 8), 0);
    assert_int_equal(number(info + number(info) - 4), 8);
}

static void pvh(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_PVH);
    assert_int_equal(run(), FAKE_ENTERED);
    assert_entered(KERNEL + 0x10, true);
    assert_int_equal(number(fake_firmware.handover.registers.ebx), 0x336ec578);
}

static void linux_kernel(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_LINUX);
    assert_int_equal(run(), FAKE_ENTERED);
    assert_entered(KERNEL + 0x10, true);
    const uint32_t params = fake_firmware.handover.registers.esi;
    assert_int_equal(params, LOW_PADDR);
    assert_string_equal(now_at(number(params + 0x228)), "one two");
    assert_int_equal(number(params + 0x21c), 0x1234); /* the initrd */
    assert_int_equal(*(const uint8_t *)now_at(params + 0x1e8), 6);
    assert_int_equal(number(params + 0x2d0 + 16), 1);
    assert_int_equal(*(const uint8_t *)now_at(params + 0x210), 0xff);
}

/* The real-mode area is filled where it waits. */
static void linux_with_its_16_bit_code(void **state)
{
    static const uint8_t data[0x400] = {[0x211] = 1};

    (void)state;
    for (uint64_t bytes = PLAN_LINUX16_BYTES; bytes > 0; bytes -= PLAN_LINUX16_BYTES / 2) {
        fake_start();
        builder_start(&builder);
        builder_protocol(&builder, PLAN_LINUX16_PADDR + 0x1000)->protocol = PLAN_PROTOCOL_LINUX16;
        builder_region(&builder, PLAN_LINUX16_PADDR, bytes, PLAN_LINUX16_PADDR)->flags = 0;
        builder_segment(&builder, PLAN_LINUX16_PADDR, data, sizeof(data));
        builder_command_line(&builder, "one two");
        builder_module(&builder, "initrd", "", data, sizeof(data));
        assert_int_equal(run(), bytes == PLAN_LINUX16_BYTES ? FAKE_ENTERED : FAKE_STOPPED);
        if (bytes < PLAN_LINUX16_BYTES) {
            assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
            return;
        }
        assert_entered(PLAN_LINUX16_PADDR + 0x1000, false);
        assert_int_equal(fake_firmware.handover.registers.ebx, 0x1e100);
        assert_int_equal(number(0x10228), 0x1f000);
        assert_string_equal(now_at(0x1f000), "one two");
        assert_int_equal(*(const uint8_t *)now_at(0x10211), 0x81);
        assert_int_equal(number(0x1021c), sizeof(data));
        assert_true(number(0x10218) >= FAKE_RAM_END - MIB); /* high, unlike other modules */
        assert_int_equal(number(0x1e100), PLAN_LINUX16_STACK << 16 | PLAN_LINUX16_PADDR >> 4);
    }
}

/* On UEFI there is none. */
static void a_kernel_that_wants_a_bios(void **state)
{
    (void)state;
    fake_start();
    fake_firmware.has_services = true;
    builder_start(&builder);
    builder_protocol(&builder, PLAN_LINUX16_PADDR)->protocol = PLAN_PROTOCOL_LINUX16;
    builder_region(&builder, PLAN_LINUX16_PADDR, PLAN_LINUX16_BYTES, PLAN_LINUX16_PADDR)->flags = 0;
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_BIOS_ONLY);
}

static void plain_32(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_PLAIN32);
    assert_int_equal(run(), FAKE_ENTERED);
    assert_entered(KERNEL + 0x10, true);
    assert_int_equal(number(fake_firmware.handover.registers.esp + 4),
                     fake_firmware.handover.registers.ebx);
}

/* With thousands of ranges, the information does not fit below 640 KiB. */
static void long_memory_maps(void **state)
{
    enum { MOST = 8000 };
    static struct bootinfo_memory_range ranges[MOST + 2] = {
        {0, 0x9f000, BOOTINFO_MEMORY_USABLE, 0},
        {FAKE_RAM_PADDR, FAKE_RAM_BYTES, BOOTINFO_MEMORY_USABLE, 0},
    };
    static const uint32_t protocols[] = {PLAN_PROTOCOL_MULTIBOOT1, PLAN_PROTOCOL_MULTIBOOT2,
                                         PLAN_PROTOCOL_PVH, PLAN_PROTOCOL_LINUX};

    (void)state;
    for (uint64_t i = 0; i < MOST; i++)
        ranges[i + 2] = (struct bootinfo_memory_range){0x200000000 + i * 0x2000, 0x1000,
                                                       BOOTINFO_MEMORY_USABLE, 0};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        for (size_t count = 20; count <= MOST; count = count == 60 ? MOST : count + 1) {
            start(protocols[i]);
            fake_firmware.ranges = ranges;
            fake_firmware.range_count = count + 2;
            assert_int_equal(run(), FAKE_ENTERED);
            if (count == MOST && protocols[i] == PLAN_PROTOCOL_PVH)
                assert_int_equal(number(fake_firmware.handover.registers.ebx + 48), count + 2);
        }
    }
}

static struct plan_extent *add_extent(uint64_t least, uint64_t most, uint64_t align,
                                      uint32_t preference)
{
    struct plan_extent *extent = builder_add(&builder, PLAN_EXTENT, sizeof(*extent));

    extent->least_paddr = least;
    extent->most_paddr = most;
    extent->align = align;
    extent->preference = preference;
    return extent;
}

/* Where the kernel has gone, by its entry. */
static uint64_t place_of(uint64_t least, uint64_t most, uint64_t align, uint32_t preference)
{
    start(PLAN_PROTOCOL_MULTIBOOT2);
    add_extent(least, most, align, preference);
    return run() == FAKE_ENTERED ? fake_firmware.handover.entry_vaddr - 0x10 : 0;
}

static void a_kernel_that_may_move(void **state)
{
    const uint64_t ram = FAKE_RAM_PADDR, end = FAKE_RAM_END;

    (void)state;
    assert_int_equal(place_of(ram, end - 1, 0x1000, PLAN_PREFER_ANY), KERNEL);
    assert_int_equal(place_of(ram, end - 1, 0x1000, PLAN_PREFER_LOW), ram);
    assert_int_equal(place_of(ram + 5, end - 1, 0x1000, PLAN_PREFER_LOW), ram + 0x1000);
    assert_int_equal(place_of(ram + 5, end - 1, MIB, PLAN_PREFER_LOW), ram + MIB);
    assert_int_equal(place_of(ram, ram + 8 * MIB - 1, MIB, PLAN_PREFER_HIGH), ram + 5 * MIB);
    assert_int_equal(place_of(ram, ram + 8 * MIB - 1, 0x1000, PLAN_PREFER_HIGH),
                     ram + 8 * MIB - BUILDER_PHYSICAL_BYTES);
    /* Not where it is linked. */
    assert_int_equal(place_of(ram + 3 * MIB, end - 1, 0x1000, PLAN_PREFER_ANY), ram + 3 * MIB);
    /* Nowhere. */
    assert_int_equal(place_of(ram, ram + BUILDER_PHYSICAL_BYTES - 2, 0x1000, PLAN_PREFER_ANY), 0);
    assert_int_equal(fake_error(), ERROR_NO_MEMORY);
}

/* Boot services go on only where there are some; then nothing waits to be moved. */
static void boot_services(void **state)
{
    (void)state;
    for (int has = 0; has < 2; has++) {
        start(PLAN_PROTOCOL_MULTIBOOT2);
        fake_firmware.has_services = has;
        struct plan_efi_entry *entry = builder_add(&builder, PLAN_EFI_ENTRY, sizeof(*entry));
        entry->entry_paddr = KERNEL + 0x20;
        assert_int_equal(run(), FAKE_ENTERED);
        assert_int_equal(fake_firmware.left, !has);
        assert_int_equal(fake_firmware.handover.entry_vaddr, KERNEL + (has ? 0x20 : 0x10));
        const uint32_t info =
            has ? (uint32_t)fake_firmware.services.rbx : fake_firmware.handover.registers.ebx;
        assert_int_equal(info >= MIB, has);
        assert_int_equal(fake_firmware.given_back, has);
        if (has) /* the image's handle is in the last tag but one */
            assert_memory_equal(now_at(info + number(info) - 16), &(uint64_t){FAKE_IMAGE_HANDLE},
                                8);
    }
}

/* Linux is told what it cannot ask for, and asks for the rest. */
static void linux_with_boot_services(void **state)
{
    (void)state;
    for (int has = 0; has < 2; has++) {
        start(PLAN_PROTOCOL_LINUX);
        fake_firmware.has_services = has;
        fake_firmware.described.efi_system_table_paddr = 0x12345678;
        struct plan_efi_entry *entry = builder_add(&builder, PLAN_EFI_ENTRY, sizeof(*entry));
        entry->entry_paddr = KERNEL + 0x200;
        assert_int_equal(run(), FAKE_ENTERED);
        assert_int_equal(fake_firmware.left, !has);
        assert_int_equal(fake_firmware.given_back, has);
        assert_int_equal(fake_firmware.handover.entry_vaddr, KERNEL + (has ? 0x200 : 0x10));
        if (!has)
            continue;
        assert_int_equal(fake_firmware.services.rdi, FAKE_IMAGE_HANDLE);
        assert_int_equal(fake_firmware.services.rsi, 0x12345678);
        const uint64_t params = fake_firmware.services.rdx;
        assert_true(params >= MIB);
        assert_string_equal(now_at(number(params + 0x228)), "one two");
        assert_int_equal(number(params + 0x21c), 0x1234);              /* the initrd */
        assert_int_equal(*(const uint8_t *)now_at(params + 0x1e8), 0); /* no memory map */
    }
}

/* Over the interrupt vectors, and where the firmware is: loaded elsewhere, and moved. */
static void low_memory(void **state)
{
    static const uint8_t data[] = {7, 8, 9};

    (void)state;
    fake_start();
    builder_start(&builder);
    builder_protocol(&builder, 0x8000)->protocol = PLAN_PROTOCOL_MULTIBOOT1;
    builder_region(&builder, 0, 0x1000, 0)->flags = 0;
    builder_segment(&builder, 1, data, sizeof(data));
    builder_region(&builder, 0x8000, 0x9000, 0x8000)->flags = 0;
    builder_segment(&builder, 0x8000, data, sizeof(data));
    assert_int_equal(run(), FAKE_ENTERED);
    assert_int_equal(fake_firmware.handover.move_count, 3);
    assert_memory_equal(now_at(1), data, sizeof(data));
    assert_memory_equal(now_at(0x8000), data, sizeof(data));
    assert_int_equal(fake_firmware.handover.registers.ebx, 0x11000);
}

static void a_place_that_is_taken(void **state)
{
    (void)state;
    fake_start();
    builder_start(&builder);
    builder_protocol(&builder, 0xa0000)->protocol = PLAN_PROTOCOL_PVH;
    builder_region(&builder, 0xa0000, 0x1000, 0xa0000)->flags = 0;
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLACE_TAKEN);
}

/* What the tool never writes. */
static void plans_that_make_no_sense(void **state)
{
    (void)state;
    start(PLAN_PROTOCOL_PVH);
    builder_mapping(&builder, KERNEL + 0x200000, 0x1000, PLAN_EXECUTABLE);
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    start(PLAN_PROTOCOL_PVH);
    builder_region(&builder, KERNEL + 16 * MIB, 0x1000, KERNEL + 17 * MIB)->flags = 0;
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    start(PLAN_PROTOCOL_PVH);
    builder_region(&builder, KERNEL + 16 * MIB, 0x1000, KERNEL + 16 * MIB);
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    start(PLAN_PROTOCOL_PVH);
    ((struct plan_protocol *)(void *)(builder.prefix + 1))->protocol = PLAN_PROTOCOL_LINUX;
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    start(PLAN_PROTOCOL_MULTIBOOT2);
    add_extent(FAKE_RAM_PADDR, FAKE_RAM_END, 3, PLAN_PREFER_ANY);
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_DAMAGED);
    start(PLAN_PROTOCOL_MULTIBOOT2);
    add_extent(FAKE_RAM_PADDR, FAKE_RAM_END, 1, 3);
    assert_int_equal(run(), FAKE_STOPPED);
    assert_int_equal(fake_error(), ERROR_PLAN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiboot_1),
        cmocka_unit_test(multiboot_2),
        cmocka_unit_test(pvh),
        cmocka_unit_test(linux_kernel),
        cmocka_unit_test(linux_with_its_16_bit_code),
        cmocka_unit_test(a_kernel_that_wants_a_bios),
        cmocka_unit_test(plain_32),
        cmocka_unit_test(long_memory_maps),
        cmocka_unit_test(a_kernel_that_may_move),
        cmocka_unit_test(boot_services),
        cmocka_unit_test(linux_with_boot_services),
        cmocka_unit_test(low_memory),
        cmocka_unit_test(a_place_that_is_taken),
        cmocka_unit_test(plans_that_make_no_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
