/*
 * See small_kernel.h.
 */
#include "small_kernel.h"

#include "loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct firmware_boot boot;

struct plan_protocol *small_kernel_build(struct plan_builder *builder, uint64_t vaddr,
                                         uint64_t paddr)
{
    static const char code[] = "code", constants[] = "constants", data[] = "data";
    struct plan_protocol *protocol = builder_protocol(builder, vaddr + SMALL_KERNEL_ENTRY);

    builder_region(builder, vaddr, SMALL_KERNEL_BYTES, paddr);
    builder_segment(builder, vaddr + SMALL_KERNEL_ENTRY, code, sizeof(code));
    builder_segment(builder, vaddr + 0x3010, constants, sizeof(constants));
    builder_segment(builder, vaddr + 0x5ffe, data, sizeof(data));
    builder_mapping(builder, vaddr, 0x3000, PLAN_EXECUTABLE);
    builder_mapping(builder, vaddr + 0x3000, 0x1000, 0);
    builder_mapping(builder, vaddr + 0x5000, 0x3000, PLAN_WRITABLE);
    return protocol;
}

static void boot_it(void *argument)
{
    (void)argument;
    loader_main(&boot);
}

enum fake_end small_kernel_boot(struct plan_builder *builder)
{
    builder_finish(builder);
    boot = builder_boot(builder);
    return fake_run(boot_it, NULL);
}

void small_kernel_fails(struct plan_builder *builder, unsigned int error)
{
    assert_int_equal(small_kernel_boot(builder), FAKE_STOPPED);
    assert_int_equal(fake_error(), error);
    assert_false(fake_firmware.left);
}

void small_kernel_check(struct contract_kernel about, uint64_t vaddr, uint64_t paddr)
{
    const struct contract_pages pages[] = {
        {vaddr, 0x3000, paddr, PLAN_EXECUTABLE, 0},
        {vaddr + 0x3000, 0x1000, paddr + 0x3000, 0, 0},
        {vaddr + 0x5000, 0x3000, paddr + 0x5000, PLAN_WRITABLE, 0},
    };
    const struct contract_memory memory = {paddr, SMALL_KERNEL_BYTES};

    about.boot = boot;
    about.entry_vaddr = vaddr + SMALL_KERNEL_ENTRY;
    if (!about.stack_bytes)
        about.stack_bytes = BUILDER_STACK_BYTES;
    if (!about.command_line)
        about.command_line = "";
    about.lowest_vaddr = vaddr;
    about.lowest_paddr = paddr;
    about.pages = pages;
    about.page_count = sizeof(pages) / sizeof(pages[0]);
    about.memory = &memory;
    about.memory_count = 1;
    contract_check(&about);
    assert_string_equal(contract_at(vaddr + SMALL_KERNEL_ENTRY), "code");
    assert_string_equal(contract_at(vaddr + 0x3010), "constants");
    assert_string_equal(contract_at(vaddr + 0x5ffe), "data");
}
