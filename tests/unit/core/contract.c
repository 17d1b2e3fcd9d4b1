/*
 * See contract.h. Page tables are compared with a list of maps of which, as bootinfo.h has it, the
 * first one that has a page counts; the sum of all pages shows that nothing else is mapped.
 */
#include "contract.h"

#include "fake_cpus.h"
#include "fake_firmware.h"
#include "page_walk.h"

#include <bootimage/image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000ull
#define FOUR_GIB 0x100000000ull
#define RAM_PAGES (FAKE_RAM_BYTES / PAGE)
#define MOST_MAPS 64

static struct page walk(uint64_t vaddr)
{
    const struct handover *handover = &fake_firmware.handover;

    return page_walk(handover->tables_paddr, handover->levels, vaddr);
}

static uint64_t physical_memory(void)
{
    return fake_firmware.handover.levels == 5 ? BOOTINFO_PHYSICAL_MEMORY_5
                                              : BOOTINFO_PHYSICAL_MEMORY;
}

void *contract_at(uint64_t vaddr)
{
    struct page page = walk(vaddr);

    assert_true(page.is_mapped);
    return (void *)(uintptr_t)page.paddr;
}

const struct bootinfo *contract_bootinfo(void)
{
    return contract_at(fake_firmware.handover.argument);
}

/* The physical address of something of the loader's: in the map of all memory, in the fake RAM. */
static uint64_t loader_paddr(uint64_t vaddr)
{
    uint64_t paddr = vaddr - physical_memory();

    assert_in_range(paddr, FAKE_RAM_PADDR, FAKE_RAM_END - 1);
    assert_int_equal(walk(vaddr).paddr, paddr);
    return paddr;
}

static const void *loader_data(uint64_t vaddr)
{
    return (const void *)(uintptr_t)loader_paddr(vaddr);
}

/* Registers. */

static void check_handover(const struct contract_kernel *kernel)
{
    const struct handover *handover = &fake_firmware.handover;
    struct page code = walk(handover->page_paddr);

    assert_true(fake_firmware.left);
    assert_true(fake_firmware.masked);
    assert_string_equal(fake_firmware.printed, "");
    assert_int_equal(handover->entry_vaddr, kernel->entry_vaddr);
    assert_int_equal(handover->stack_top_vaddr, BOOTINFO_STACK_TOP);
    assert_int_equal(handover->levels, kernel->has_5_levels ? 5 : 4);
    assert_int_equal(handover->has_nx, fake_firmware.cpu.has_nx);
    assert_memory_equal(handover, &fake_firmware.copied, sizeof(*handover));
    assert_int_equal(handover->physical_memory, physical_memory());
    assert_true(code.is_mapped && code.is_executable && !code.is_writable);
    assert_int_equal(code.paddr, handover->page_paddr);
    assert_int_equal(loader_paddr(physical_memory() + handover->page_paddr), handover->page_paddr);
}

/* Page tables. */

struct maps {
    struct contract_pages maps[MOST_MAPS];
    size_t count;
};

static void add_map(struct maps *maps, uint64_t vaddr, uint64_t bytes, uint64_t paddr,
                    uint32_t rights, uint32_t pat)
{
    assert_true(maps->count < MOST_MAPS);
    maps->maps[maps->count++] = (struct contract_pages){vaddr, bytes, paddr, rights, pat};
}

static bool is_in(uint64_t at, uint64_t start, uint64_t bytes)
{
    return at >= start && at - start < bytes;
}

/* A map in which pages that the kernel has read-only are read-only, too: those come first. */
static void add_alias(struct maps *maps, const struct contract_kernel *kernel, uint64_t vaddr,
                      uint64_t bytes, uint64_t paddr, uint32_t rights, uint32_t pat)
{
    for (size_t i = 0; i < kernel->page_count; i++) {
        const struct contract_pages *pages = &kernel->pages[i];

        uint64_t start = pages->paddr > paddr ? pages->paddr : paddr;
        uint64_t end = pages->paddr + pages->bytes;

        if (end > paddr + bytes)
            end = paddr + bytes;
        if (start < end && !(pages->rights & PLAN_WRITABLE))
            add_map(maps, vaddr + (start - paddr), end - start, start,
                    rights & ~(uint32_t)PLAN_WRITABLE, pat);
    }
    add_map(maps, vaddr, bytes, paddr, rights, pat);
}

static void list_framebuffer(struct maps *maps, const struct contract_kernel *kernel)
{
    const struct bootinfo_framebuffer *framebuffer = &fake_firmware.framebuffer;

    if (!fake_firmware.video_set)
        return;
    add_map(maps, physical_memory() + framebuffer->paddr, framebuffer->bytes, framebuffer->paddr,
            PLAN_WRITABLE, 4);
    if (!kernel->has_no_identity)
        add_map(maps, framebuffer->paddr, framebuffer->bytes, framebuffer->paddr, PLAN_WRITABLE, 4);
}

/* Of the CPU of this number: its lowest address. */
static uint64_t stack_vaddr(const struct contract_kernel *kernel, uint64_t cpu)
{
    return BOOTINFO_STACK_TOP - cpu * (kernel->stack_bytes + PAGE) - kernel->stack_bytes;
}

/* The boot processor has one in any case. */
static uint64_t stack_count(const struct contract_kernel *kernel)
{
    return kernel->cpu_count ? kernel->cpu_count : 1;
}

static void list_stacks(struct maps *maps, const struct contract_kernel *kernel)
{
    for (uint64_t i = 0; i < stack_count(kernel); i++) {
        uint64_t vaddr = stack_vaddr(kernel, i);

        add_map(maps, vaddr, kernel->stack_bytes, walk(vaddr).paddr, PLAN_WRITABLE, 0);
    }
}

static void list_maps(struct maps *maps, const struct contract_kernel *kernel)
{
    uint64_t page_paddr = fake_firmware.handover.page_paddr;

    for (size_t i = 0; i < kernel->page_count; i++)
        add_map(maps, kernel->pages[i].vaddr, kernel->pages[i].bytes, kernel->pages[i].paddr,
                kernel->pages[i].rights, 0);
    list_stacks(maps, kernel);
    add_map(maps, page_paddr, PAGE, page_paddr, PLAN_EXECUTABLE, 0);
    for (size_t i = 0; i < kernel->map_count; i++)
        add_alias(maps, kernel, kernel->maps[i].vaddr, kernel->maps[i].bytes, kernel->maps[i].paddr,
                  kernel->maps[i].rights, kernel->maps[i].pat);
    list_framebuffer(maps, kernel);
    if (!kernel->has_no_identity)
        add_alias(maps, kernel, PAGE, FOUR_GIB - PAGE, PAGE, PLAN_WRITABLE, 0);
    for (size_t i = 0; i < FAKE_RANGES; i++) {
        const struct bootinfo_memory_range *range = &fake_ranges[i];

        if (range->type == BOOTINFO_MEMORY_USABLE)
            add_alias(maps, kernel, physical_memory() + range->base_paddr,
                      range->bytes & ~(PAGE - 1), range->base_paddr, PLAN_WRITABLE, 0);
    }
}

static bool is_mapped_before(const struct maps *maps, size_t index, uint64_t vaddr)
{
    for (size_t i = 0; i < index; i++) {
        if (is_in(vaddr, maps->maps[i].vaddr, maps->maps[i].bytes))
            return true;
    }
    return false;
}

static void check_page(const struct contract_pages *map, uint64_t vaddr)
{
    struct page page = walk(vaddr);
    bool is_executable = map->rights & PLAN_EXECUTABLE || !fake_firmware.handover.has_nx;

    assert_true(page.is_mapped);
    assert_int_equal(page.paddr, map->paddr + (vaddr - map->vaddr));
    assert_int_equal(page.is_writable, (map->rights & PLAN_WRITABLE) != 0);
    assert_int_equal(page.is_executable, is_executable);
    assert_int_equal(page.pat, map->pat);
}

static void ignore_table(void *context, uint64_t table_paddr)
{
    (void)context;
    (void)table_paddr;
}

static void check_page_tables(const struct contract_kernel *kernel)
{
    struct maps maps = {.count = 0};
    uint64_t total = 0;

    list_maps(&maps, kernel);
    for (size_t i = 0; i < maps.count; i++) {
        const struct contract_pages *map = &maps.maps[i];

        for (uint64_t done = 0; done < map->bytes; done += PAGE) {
            if (is_mapped_before(&maps, i, map->vaddr + done))
                continue;
            check_page(map, map->vaddr + done);
            total += PAGE;
        }
    }
    assert_int_equal(page_tables_each(fake_firmware.handover.tables_paddr,
                                      fake_firmware.handover.levels, ignore_table, NULL),
                     total);
    for (uint64_t i = 0; i < stack_count(kernel); i++)
        assert_false(walk(stack_vaddr(kernel, i) - 1).is_mapped);
    assert_false(walk(0).is_mapped);
}

/* The memory map. */

static void mark(uint8_t *types, uint64_t paddr, uint64_t bytes, uint8_t type)
{
    assert_in_range(paddr, FAKE_RAM_PADDR, FAKE_RAM_END - 1);
    assert_true(bytes <= FAKE_RAM_END - paddr);
    for (uint64_t at = paddr & ~(PAGE - 1); at < paddr + bytes; at += PAGE) {
        uint8_t *marked = &types[(at - FAKE_RAM_PADDR) / PAGE];

        assert_int_equal(*marked, BOOTINFO_MEMORY_USABLE); /* in use but once */
        *marked = type;
    }
}

static void mark_table(void *context, uint64_t table_paddr)
{
    mark(context, table_paddr, PAGE, BOOTINFO_MEMORY_LOADER);
}

/* The list is one block, which ends with the last text. */
static void mark_module_list(uint8_t *types, const struct bootinfo_module *modules, size_t count)
{
    const char *end = loader_data(modules[count - 1].arguments);

    end += strlen(end) + 1;
    mark(types, (uintptr_t)modules, (uintptr_t)end - (uintptr_t)modules, BOOTINFO_MEMORY_LOADER);
    for (size_t i = 0; i < count; i++) {
        if (modules[i].bytes > 0)
            mark(types, loader_paddr(modules[i].address), modules[i].bytes, BOOTINFO_MEMORY_MODULE);
    }
}

static void mark_loader(uint8_t *types, const struct contract_kernel *kernel)
{
    const struct bootinfo *info = contract_bootinfo();
    const struct contract_memory in_use[] = {
        {fake_firmware.handover.page_paddr, PAGE},
        {loader_paddr(fake_firmware.handover.argument), sizeof(*info)},
        {loader_paddr(info->loader_name), 1},
        {loader_paddr(info->loader_version), 1},
        {loader_paddr(info->command_line), info->command_line_bytes + 1},
        {loader_paddr(info->memory_map),
         info->memory_map_count * sizeof(struct bootinfo_memory_range)},
    };

    for (size_t i = 0; i < sizeof(in_use) / sizeof(in_use[0]); i++)
        mark(types, in_use[i].paddr, in_use[i].bytes, BOOTINFO_MEMORY_LOADER);
    for (uint64_t i = 0; i < stack_count(kernel); i++)
        mark(types, walk(stack_vaddr(kernel, i)).paddr, kernel->stack_bytes,
             BOOTINFO_MEMORY_LOADER);
    if (info->cpu_count > 0)
        mark(types, loader_paddr(info->cpus), info->cpu_count * sizeof(struct bootinfo_cpu),
             BOOTINFO_MEMORY_LOADER);
    if (info->module_count > 0)
        mark_module_list(types, loader_data(info->modules), info->module_count);
    if (info->kernel_file_bytes > 0)
        mark(types, loader_paddr(info->kernel_file), info->kernel_file_bytes,
             BOOTINFO_MEMORY_MODULE);
    if (info->request_count > 0)
        mark(types, loader_paddr(info->requests),
             info->request_count * sizeof(struct bootinfo_request), BOOTINFO_MEMORY_LOADER);
    if (info->framebuffer_count > 0)
        mark(types, loader_paddr(info->framebuffers), sizeof(struct bootinfo_framebuffer),
             BOOTINFO_MEMORY_LOADER);
    page_tables_each(fake_firmware.handover.tables_paddr, fake_firmware.handover.levels, mark_table,
                     types);
}

/* Each page of the fake RAM has the type of its use, so that nothing is lost and nothing in use is
   given away. */
static void check_uses(const struct bootinfo_memory_range *map, size_t count,
                       const struct contract_kernel *kernel)
{
    static uint8_t types[RAM_PAGES];
    size_t at = 0;

    memset(types, BOOTINFO_MEMORY_USABLE, sizeof(types));
    mark_loader(types, kernel);
    for (size_t i = 0; i < kernel->memory_count; i++)
        mark(types, kernel->memory[i].paddr, kernel->memory[i].bytes, BOOTINFO_MEMORY_KERNEL);
    for (uint64_t page = 0; page < RAM_PAGES; page++) {
        while (at < count && map[at].base_paddr + map[at].bytes <= FAKE_RAM_PADDR + page * PAGE)
            at++;
        assert_true(at < count && map[at].base_paddr <= FAKE_RAM_PADDR + page * PAGE);
        assert_int_equal(map[at].type, types[page]);
    }
}

static void check_order(const struct bootinfo_memory_range *map, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(map[i].reserved, 0);
        assert_int_not_equal(map[i].bytes, 0);
        if (map[i].type == BOOTINFO_MEMORY_USABLE)
            assert_int_equal((map[i].base_paddr | map[i].bytes) % PAGE, 0);
        if (i == 0)
            continue;
        uint64_t end = map[i - 1].base_paddr + map[i - 1].bytes;
        assert_true(map[i].base_paddr >= end);
        assert_false(map[i].base_paddr == end && map[i].type == map[i - 1].type);
    }
}

/* With what the loader and the kernel use counted as usable, it is the firmware's map in pages. */
static void check_coverage(const struct bootinfo_memory_range *map, size_t count)
{
    static const struct bootinfo_memory_range wanted[] = {
        {0x0, 0x1000, BOOTINFO_MEMORY_RESERVED, 0},
        {0x1000, 0x9e000, BOOTINFO_MEMORY_USABLE, 0},
        {0x9f000, 0x1000, BOOTINFO_MEMORY_RESERVED, 0},
        {0xf0000, 0x10000, BOOTINFO_MEMORY_RESERVED, 0},
        {FAKE_RAM_PADDR, FAKE_RAM_BYTES, BOOTINFO_MEMORY_USABLE, 0},
        {0xfffc0000, 0x40000, BOOTINFO_MEMORY_RESERVED, 0},
        {0x100000000, 0x40000000, BOOTINFO_MEMORY_USABLE, 0},
    };
    const struct bootinfo_framebuffer *framebuffer = &fake_firmware.framebuffer;
    size_t at = 0;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint64_t end = wanted[i].base_paddr;

        if (fake_firmware.video_set && map[at].base_paddr == framebuffer->paddr) {
            assert_int_equal(map[at].type, BOOTINFO_MEMORY_FRAMEBUFFER);
            assert_int_equal(map[at++].bytes, framebuffer->bytes);
        }

        for (; at < count && map[at].base_paddr == end &&
               end < wanted[i].base_paddr + wanted[i].bytes;
             at++) {
            bool is_usable = map[at].type == BOOTINFO_MEMORY_LOADER ||
                             map[at].type == BOOTINFO_MEMORY_KERNEL ||
                             map[at].type == BOOTINFO_MEMORY_MODULE;

            assert_int_equal(is_usable ? BOOTINFO_MEMORY_USABLE : map[at].type, wanted[i].type);
            end += map[at].bytes;
        }
        assert_int_equal(end, wanted[i].base_paddr + wanted[i].bytes);
    }
    assert_int_equal(at, count);
}

/* The boot information. */

static void check_bootinfo(const struct contract_kernel *kernel, const struct bootinfo *info)
{
    assert_memory_equal(&info->magic, "BOOTINFO", 8);
    assert_int_equal(info->version, BOOTINFO_VERSION);
    assert_int_equal(info->size_bytes, sizeof(*info));
    assert_string_equal(loader_data(info->loader_name), "bootimage");
    assert_string_equal(loader_data(info->loader_version), BOOTIMAGE_VERSION);
    assert_string_equal(loader_data(info->command_line), kernel->command_line);
    assert_int_equal(info->command_line_bytes, strlen(kernel->command_line));
    assert_int_equal(info->firmware, fake_firmware.described.firmware);
    assert_int_equal(info->rsdp_paddr, fake_firmware.described.rsdp_paddr);
    assert_int_equal(info->smbios_paddr, fake_firmware.described.smbios_paddr);
    assert_int_equal(info->wall_clock_s, fake_firmware.wall_clock_s);
    assert_int_equal(info->page_levels, kernel->has_5_levels ? 5 : 4);
    assert_int_equal(info->physical_memory, physical_memory());
    assert_int_equal(info->recursive_entry, kernel->recursive_entry);
    assert_int_equal(info->request_count, kernel->request_count);
    if (kernel->request_count > 0)
        assert_memory_equal(loader_data(info->requests), kernel->requests,
                            kernel->request_count * sizeof(*kernel->requests));
    assert_int_equal(info->kernel_vaddr, kernel->lowest_vaddr);
    assert_int_equal(info->kernel_paddr, kernel->lowest_paddr);
    assert_int_equal(info->stack_top, BOOTINFO_STACK_TOP);
    assert_int_equal(info->stack_bytes, kernel->stack_bytes);
    assert_int_equal(info->cpu_count, kernel->cpu_count);
    assert_int_equal(info->cpus != 0, kernel->cpu_count != 0);
    assert_int_equal(info->boot_cpu_apic_id, fake_apic.id);
    assert_int_equal(info->flags, fake_apic.has_x2apic ? BOOTINFO_X2APIC : 0);
    assert_int_equal(info->boot_drive, kernel->boot.boot_drive);
    assert_int_equal(info->disk_signature, kernel->boot.disk_signature);
    assert_int_equal(info->tsc_stage1, kernel->boot.tsc_stage1);
    assert_int_equal(info->tsc_stage2, kernel->boot.tsc_stage2);
    assert_int_not_equal(info->tsc_loader, 0);
    assert_int_not_equal(info->tsc_load, 0);
    assert_int_not_equal(info->tsc_map, 0);
    assert_int_not_equal(info->tsc_enter, 0);
    assert_in_range(info->ticks_read, 1, info->tsc_map - info->tsc_load);
    assert_int_equal(info->ticks_copy, 0); /* the fake disk has no buffer */
    assert_in_range(info->ticks_check, 1, info->tsc_map - info->tsc_load - info->ticks_read);
}

void contract_check(const struct contract_kernel *kernel)
{
    const struct bootinfo *info;

    check_handover(kernel);
    check_page_tables(kernel);
    info = loader_data(fake_firmware.handover.argument);
    check_bootinfo(kernel, info);
    const struct bootinfo_memory_range *map = loader_data(info->memory_map);
    check_order(map, info->memory_map_count);
    check_coverage(map, info->memory_map_count);
    check_uses(map, info->memory_map_count, kernel);
}
