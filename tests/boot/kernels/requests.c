/*
 * A kernel that asks for what contract 1.1 has, and looks whether it got it: requests and their
 * echo, modules, its own file. What it gets depends on the machine and on the tool's options: the
 * test judges the values.
 */
#include "page_walk.h"
#include "report.h"

#define RECURSIVE_ENTRY 400
#define STACK_ASKED 0x20000
#define MAP_VADDR 0xffffc90000000000ull
#define MAP_PADDR 0xfed00000ull /* the HPET */

BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_CONTRACT, BOOTINFO_VERSION)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_STACK, 0x20000)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_MEMORY, 0x1000000)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_IDENTITY, 0)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_MAP, 0xffffc90000000000, 0xfed00000, 0x1000,
                  BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_MAP, 0xffffc90000200000, 0x400000, 0x200000,
                  BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_WRITE_COMBINING)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_RECURSIVE, 400)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_LEVELS | BOOTINFO_REQUEST_OPTIONAL, 5)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_FRAMEBUFFER | BOOTINFO_REQUEST_OPTIONAL, 0, 0, 0)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_KERNEL_FILE, 1)

void _start(const struct bootinfo *info);

static uint64_t cr3;

static bool same(uint64_t text, const char *expected)
{
    const char *at = (const char *)text;

    while (*at != '\0' && *at == *expected)
        at++, expected++;
    return *at == *expected;
}

static uint32_t memory_type(const struct bootinfo *info, uint64_t paddr)
{
    const struct bootinfo_memory_range *range = (const void *)info->memory_map;

    for (uint64_t i = 0; i < info->memory_map_count; i++, range++) {
        if (paddr >= range->base_paddr && paddr - range->base_paddr < range->bytes)
            return range->type;
    }
    return 0;
}

static void report_requests(const struct bootinfo *info)
{
    const struct bootinfo_request *request = (const void *)info->requests;

    for (uint64_t i = 0; i < info->request_count; i++, request++) {
        report_text("# request");
        report_decimal(i);
        report_text(" = ");
        report_hex(request->type);
        report_text(request->met ? " met" : " not met");
        for (unsigned j = 0; j < 4; j++) {
            report_text(" ");
            report_hex(request->words[j]);
        }
        report_text("\n");
    }
}

static void check_stack(const struct bootinfo *info)
{
    struct page page;
    bool mapped = true;

    for (uint64_t at = info->stack_top - info->stack_bytes; at < info->stack_top; at += PAGE_BYTES)
        mapped = mapped && page_find(cr3, at, &page) && page.writable && !page.executable;
    report_check(mapped, "the stack has the size that bootinfo tells");
    report_check(!page_find(cr3, info->stack_top - info->stack_bytes - 1, &page),
                 "the page below it is not mapped");
    report_value("stack_bytes", info->stack_bytes);
}

static void check_maps(const struct bootinfo *info)
{
    struct page page;
    unsigned one_to_one = 0;
    bool only_handover = true;

    report_value("page_levels", info->page_levels);
    report_check(info->page_levels == page_levels(), "the number of levels is CR4's");
    report_check(info->physical_memory == page_physical_memory(),
                 "all memory is mapped where the number of levels says");
    report_check(info->recursive_entry == RECURSIVE_ENTRY &&
                     (page_table(cr3)[RECURSIVE_ENTRY] & PAGE_ADDRESS) == (cr3 & PAGE_ADDRESS),
                 "the recursive entry points to the root table");
    report_check(page_find(cr3, MAP_VADDR, &page) && page.paddr == MAP_PADDR && page.writable &&
                     !page.executable && page.caching == 3 && page.bytes == PAGE_BYTES,
                 "a mapping that was asked for is there, uncached");
    report_check(*(const volatile uint32_t *)MAP_VADDR >> 16 == 0x8086,
                 "the device answers through it");
    report_check(!page_find(cr3, MAP_VADDR + PAGE_BYTES, &page), "nothing is mapped behind it");
    report_check(page_find(cr3, MAP_VADDR + 0x3ff000, &page) && page.caching == 4,
                 "another is write-combining");
    const uint64_t code = page_paddr(cr3, (uint64_t)(uintptr_t)_start);
    report_check(
        code < 0x400000 || code >= 0x600000 ||
            (page_find(cr3, MAP_VADDR + 0x200000 + (code - 0x400000), &page) && !page.writable),
        "a read-only page is read-only in it");
    for (uint64_t at = 0; at < 0x100000000ull; at += PAGE_BYTES) {
        if (page_find(cr3, at, &page) && page.paddr == page.vaddr &&
            memory_type(info, at) != BOOTINFO_MEMORY_KERNEL) {
            one_to_one++;
            only_handover = only_handover && !page.writable && page.executable &&
                            memory_type(info, at) == BOOTINFO_MEMORY_LOADER;
        } else if ((at & 0x1fffff) == 0 && page_table(cr3) != 0) {
            /* Whole 2 MiB without a table are skipped: nothing is mapped in them. */
            struct page last;
            bool any = false;
            for (uint64_t in = at; in < at + 0x200000 && !any; in += PAGE_BYTES)
                any = page_find(cr3, in, &last);
            if (!any)
                at += 0x200000 - PAGE_BYTES;
        }
    }
    report_check(one_to_one == 1 && only_handover, "only the hand-over page is mapped one to one");
}

static void check_modules(const struct bootinfo *info)
{
    const struct bootinfo_module *module = (const void *)info->modules;
    bool contents = true, aligned = true, padded = true, typed = true, named = true;

    for (uint64_t i = 0; i < info->module_count; i++, module++) {
        const uint8_t *bytes = (const uint8_t *)module->address;
        char name[8] = {'m',
                        (char)('0' + i / 1000 % 10),
                        (char)('0' + i / 100 % 10),
                        (char)('0' + i / 10 % 10),
                        (char)('0' + i % 10),
                        '\0'};

        named = named && same(module->name, name) &&
                same(module->arguments, i == 0 ? "first, of many" : "");
        aligned = aligned && module->address % PAGE_BYTES == 0;
        for (uint64_t j = 0; j < module->bytes; j++)
            contents = contents && bytes[j] == (uint8_t)(j * 7 + i);
        for (uint64_t j = module->bytes; j % PAGE_BYTES != 0; j++)
            padded = padded && bytes[j] == 0;
        typed = typed &&
                (module->bytes == 0 ? module->address == 0
                                    : memory_type(info, module->address - info->physical_memory) ==
                                          BOOTINFO_MEMORY_MODULE);
    }
    report_check(contents, "each module has its bytes");
    report_check(aligned, "each begins on a page");
    report_check(padded, "zeros fill its last page");
    report_check(typed, "its memory is of type MODULE");
    report_check(named, "each has its name and arguments");
    report_value("module_count", info->module_count);
}

static void check_kernel_file(const struct bootinfo *info)
{
    const uint8_t *file = (const uint8_t *)info->kernel_file;
    uint64_t hash = 14695981039346656037ull; /* FNV-1a of 64 bits */

    for (uint64_t i = 0; i < info->kernel_file_bytes; i++)
        hash = (hash ^ file[i]) * 1099511628211ull;
    report_value("kernel_file_bytes", info->kernel_file_bytes);
    report_value("kernel_file_hash", hash);
}

void _start(const struct bootinfo *info)
{
    __asm__("mov %%cr3, %0" : "=r"(cr3));
    report_entered();
    report_requests(info);
    check_stack(info);
    check_maps(info);
    check_modules(info);
    check_kernel_file(info);
    report_value("command_line_bytes", info->command_line_bytes);
    report_done();
}
