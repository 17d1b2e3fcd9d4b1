/*
 * A kernel that asks for what contract 1.1 has, and looks whether it got it: requests and their
 * echo, modules, its own file. What it gets depends on the machine and on the tool's options: the
 * test judges the values.
 *
 * asks_all.h has the requests; asks.c, asks.cc or asks.S states them and calls kernel_main.
 */
#include "page_walk.h"
#include "report.h"

#define RECURSIVE_ENTRY 400
#define STACK_ASKED 0x20000
#define MAP_VADDR 0xffffc90000000000ull
#define MAP_PADDR 0xfed00000ull /* the HPET */
#define COMBINING_VADDR 0xffffc90000200000ull
#define EXECUTABLE_VADDR 0xffffc90000400000ull
/* The physical memory of both: the kernel lies in it. */
#define KERNEL_PADDR 0x400000ull
#define KERNEL_BYTES 0x200000ull
/* Where the loader's own page would lie, if this did not keep it away; leads to physical address 0.
 */
#define LOW_VADDR 0x4000000ull
#define LOW_BYTES 0xf0000000ull
#define FOUR_GIB 0x100000000ull
#define ANSWER 0x2a

extern const char __executable_start[], end[];

void kernel_main(const struct bootinfo *info);

static uint64_t cr3;
static bool cpu_has_nx;

static uint64_t address(const char *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

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
        mapped =
            mapped && page_find(cr3, at, &page) && page.writable && page.executable != cpu_has_nx;
    report_check(mapped, "the stack has the size that bootinfo tells");
    report_check(!page_find(cr3, info->stack_top - info->stack_bytes - 1, &page),
                 "the page below it is not mapped");
    report_value("stack_bytes", info->stack_bytes);
}

static bool has_nx(void)
{
    uint32_t eax = 0x80000001, ebx, ecx, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return (edx >> 20 & 1) != 0;
}

static void check_levels(const struct bootinfo *info)
{
    uint64_t cr4;

    __asm__("mov %%cr4, %0" : "=r"(cr4));
    report_value("page_levels", info->page_levels);
    report_check(info->page_levels == page_levels(), "the number of levels is CR4's");
    report_check(cr4 == (info->page_levels == 5 ? 0x1620 : 0x620),
                 "CR4 has LA57 with 5 levels, and nothing else changes");
    report_check(info->physical_memory == page_physical_memory(),
                 "all memory is mapped where the number of levels says");
}

/* The address at which the root table itself is seen, through its own entry. */
static void check_recursive_entry(const struct bootinfo *info)
{
    uint64_t vaddr = 0;
    struct page page;

    for (unsigned level = 1; level <= page_levels(); level++)
        vaddr |= (uint64_t)RECURSIVE_ENTRY << page_shift(level);
    vaddr = page_canonical(vaddr);
    report_check(info->recursive_entry == RECURSIVE_ENTRY && page_paddr(cr3, vaddr) == cr3,
                 "the recursive entry points to the root table");
    const volatile uint64_t *root = (const volatile uint64_t *)vaddr;
    report_check((root[RECURSIVE_ENTRY] & PAGE_ADDRESS) == cr3,
                 "the root table is seen through it");
    report_check(page_find(cr3, vaddr, &page) && page.writable && page.executable != cpu_has_nx,
                 "what is seen through it is writable and not executable");
}

static __attribute__((noinline)) unsigned answer(void)
{
    unsigned value;

    __asm__ volatile("mov %1, %0" : "=r"(value) : "i"(ANSWER));
    return value;
}

static void check_maps(void)
{
    struct page page;

    report_check(page_find(cr3, MAP_VADDR, &page) && page.paddr == MAP_PADDR && page.writable &&
                     page.executable != cpu_has_nx && page.caching == 3 && page.bytes == PAGE_BYTES,
                 "a mapping that was asked for is there, uncached");
    report_check(*(const volatile uint32_t *)MAP_VADDR >> 16 == 0x8086,
                 "the device answers through it");
    report_check(!page_find(cr3, MAP_VADDR + PAGE_BYTES, &page), "nothing is mapped behind it");
    report_check(page_find(cr3, COMBINING_VADDR + KERNEL_BYTES - PAGE_BYTES, &page) &&
                     page.caching == 4 && page.writable && page.executable != cpu_has_nx,
                 "another is write-combining");
    const uint64_t code = page_paddr(cr3, (uint64_t)(uintptr_t)answer) - KERNEL_PADDR;
    report_check(code < KERNEL_BYTES && page_find(cr3, COMBINING_VADDR + code, &page) &&
                     !page.writable &&
                     page.paddr + (COMBINING_VADDR + code - page.vaddr) == code + KERNEL_PADDR,
                 "a read-only page is read-only in it");
    unsigned (*const other_answer)(void) = (unsigned (*)(void))(EXECUTABLE_VADDR + code);
    report_check(code < KERNEL_BYTES && page_find(cr3, EXECUTABLE_VADDR + code, &page) &&
                     page.executable && other_answer() == ANSWER,
                 "a third is executable");
    report_check(page_find(cr3, EXECUTABLE_VADDR + KERNEL_BYTES - PAGE_BYTES, &page) &&
                     !page.writable && page.caching == 0,
                 "it is not writable, as nobody asked for that");
}

/* The map of all RAM is still there: the loader's page tables are read through it. */
static void check_first_4_gib(const struct bootinfo *info)
{
    unsigned own = 0, others = 0;
    bool low_map = true, own_is_right = true;
    struct page page;

    for (uint64_t at = 0; at < FOUR_GIB; at += PAGE_BYTES) {
        const bool there = page_find(cr3, at, &page);
        const uint64_t offset = at - LOW_VADDR;

        if (offset < LOW_BYTES) {
            low_map = low_map && there && !page.writable && page.caching == 0 &&
                      page.executable != cpu_has_nx && page.paddr + (at - page.vaddr) == offset;
        } else if (there && page.vaddr == page.paddr &&
                   memory_type(info, at) == BOOTINFO_MEMORY_LOADER) {
            own++;
            own_is_right = own_is_right && !page.writable && page.executable;
        } else if (there && (at < address(__executable_start) || at >= address(end))) {
            others++;
        }
    }
    report_check(low_map, "a map below 4 GiB is whole, and nothing else is in it");
    report_check(own == 1 && own_is_right && others == 0,
                 "only the hand-over page is mapped one to one");
}

static void check_cpus(const struct bootinfo *info)
{
    const struct bootinfo_cpu *cpu = (const void *)info->cpus;
    bool parked = true;

    for (uint64_t i = 1; i < info->cpu_count; i++)
        parked = parked && cpu[i].state == BOOTINFO_CPU_PARKED;
    report_check(info->cpu_count > 0 && cpu[0].state == BOOTINFO_CPU_BOOT && parked,
                 "the other CPUs are parked");
    report_value("cpu_count", info->cpu_count);
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

/* That addresses are virtual, and lie in the map of all RAM: taken for that, each leads to memory
   of the type that it must. */
static void check_addresses(const struct bootinfo *info)
{
    report_check(
        memory_type(info, info->requests - info->physical_memory) == BOOTINFO_MEMORY_LOADER &&
            memory_type(info, info->cpus - info->physical_memory) == BOOTINFO_MEMORY_LOADER &&
            (info->modules == 0 ||
             memory_type(info, info->modules - info->physical_memory) == BOOTINFO_MEMORY_LOADER),
        "its lists lie in memory of type LOADER");
    report_check(memory_type(info, info->kernel_file - info->physical_memory) ==
                     BOOTINFO_MEMORY_MODULE,
                 "the kernel's file lies in memory of type MODULE");
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

void kernel_main(const struct bootinfo *info)
{
    __asm__("mov %%cr3, %0" : "=r"(cr3));
    cpu_has_nx = has_nx();
    report_entered();
    report_requests(info);
    check_stack(info);
    check_levels(info);
    check_recursive_entry(info);
    check_maps();
    check_first_4_gib(info);
    check_cpus(info);
    check_modules(info);
    check_kernel_file(info);
    check_addresses(info);
    report_value("flags", info->flags);
    report_value("framebuffer_count", info->framebuffer_count);
    report_check((info->framebuffers != 0) == (info->framebuffer_count != 0) &&
                     !(info->framebuffer_count && (info->flags & BOOTINFO_TEXT_SCREEN)),
                 "a framebuffer is told where the screen does not show text");
    report_value("command_line_bytes", info->command_line_bytes);
    report_value("ticks_read", info->ticks_read);
    report_value("ticks_copy", info->ticks_copy);
    report_value("ticks_check", info->ticks_check);
    report_done();
}
