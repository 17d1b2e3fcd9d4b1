/*
 * A kernel of large things: a payload in a segment of its own, bss of 1 GiB, and a module. Each
 * sector of payload and module says where it belongs (payload.h); all of bss must be zero.
 *
 * Linked by heavy.ld with the first sector of the payload; the test appends the rest.
 */
#include "bootimage/bootinfo.h"
#include "payload.h"
#include "report.h"

#define PAYLOAD_BYTES 0x20000000ull /* as the test makes it */

extern const uint64_t heavy_payload[];
extern const uint64_t heavy_bss[], heavy_bss_end[];

/* What pattern.py begins with. */
__attribute__((section(".payload"), used)) const uint64_t first_quad = PAYLOAD_FACTOR;

void _start(const struct bootinfo *info);

static uint32_t memory_type(const struct bootinfo *info, uint64_t paddr, uint64_t bytes)
{
    const struct bootinfo_memory_range *range = (const void *)info->memory_map;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (paddr >= range->base_paddr && paddr - range->base_paddr < range->bytes)
            return paddr + bytes - range->base_paddr <= range->bytes ? range->type : 0;
    }
    return 0;
}

static void check_module(const struct bootinfo *info)
{
    const struct bootinfo_module *module = (const void *)info->modules;

    report_check(info->module_count == 1, "there is one module");
    report_check(payload_is_intact((const uint64_t *)module->address,
                                   (const uint64_t *)(module->address + module->bytes)),
                 "the module is intact");
    report_check(memory_type(info, module->address - info->physical_memory, module->bytes) ==
                     BOOTINFO_MEMORY_MODULE,
                 "all of it is of type MODULE");
    report_value("module", module->bytes);
}

void _start(const struct bootinfo *info)
{
    report_entered();
    report_check(payload_is_intact(heavy_payload, heavy_payload + PAYLOAD_BYTES / 8),
                 "the payload is intact");
    report_check(payload_all_zero(heavy_bss, heavy_bss_end), "bss is zero");
    report_value("bss", (uint64_t)((uintptr_t)heavy_bss_end - (uintptr_t)heavy_bss));
    check_module(info);
    report_done();
}
