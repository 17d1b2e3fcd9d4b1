/*
 * The contract kernel: one check for each sentence of bootinfo.h, THE MACHINE AT ENTRY
 * (contract_machine.c, contract_devices.c), WHAT IS MAPPED (contract_pages.c), and, here, struct
 * bootinfo and its memory map.
 *
 * contract_entry.asm noted the machine down before anything could change it. Linked at an address
 * and a physical address of the build's choosing by contract.ld, it is built with the flags of the
 * target. Texts and numbers that depend on the image or the machine are reported as values, and
 * the test judges them.
 */
#include "contract.h"

#define BSS_QUADS 65536

/* Built with 5, the kernel is about the same contract on another machine. */
#ifndef LEVELS_ASKED
#define LEVELS_ASKED 0
#else
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_LEVELS, LEVELS_ASKED)
#endif

static uint64_t bss[BSS_QUADS];
static volatile uint64_t data = 0x0123456789ABCDEF;
static const volatile uint64_t rodata = 0xFEDCBA9876543210;

unsigned report_checks;
const struct bootinfo *contract_info;
bool contract_cpu_has_nx;
bool contract_cpu_has_1_gib_pages;
uint64_t contract_physical_memory;
uint64_t contract_physical_memory_bytes;

void contract_main(const struct bootinfo *bootinfo);

/* CPUID 0x80000001, EDX: bit 20 is NX, bit 26 pages of 1 GiB. */
static bool cpu_has(unsigned bit)
{
    uint32_t eax = 0x80000001, ebx, ecx, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return (edx >> bit & 1) != 0;
}

/* The type of memory that all of [paddr, paddr + bytes) has; 0 if it has none or several. */
uint32_t contract_memory_type(uint64_t paddr, uint64_t bytes)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)contract_info->memory_map;

    for (uint64_t i = 0; i < contract_info->memory_map_count; i++, range++) {
        if (paddr >= range->base_paddr && paddr - range->base_paddr < range->bytes)
            return paddr + bytes - range->base_paddr <= range->bytes ? range->type : 0;
    }
    return 0;
}

/* Memory of the boot information: in the map of physical memory, and the loader's own. */
static bool is_loader_memory(uint64_t vaddr, uint64_t bytes)
{
    return vaddr - contract_physical_memory < contract_physical_memory_bytes &&
           contract_memory_type(vaddr - contract_physical_memory, bytes) == BOOTINFO_MEMORY_LOADER;
}

static uint64_t string_bytes(uint64_t text)
{
    const char *at = (const char *)text;

    while (*at != '\0')
        at++;
    return address(at) - text;
}

/* Memory. */

static void check_memory_map(void)
{
    const struct bootinfo_memory_range *range =
        (const struct bootinfo_memory_range *)contract_info->memory_map;
    const struct bootinfo_memory_range *before = NULL;
    bool sorted = true, merged = true, whole = true, known = true, aligned = true;

    for (uint64_t i = 0; i < contract_info->memory_map_count; before = range, i++, range++) {
        const bool touches =
            before != NULL && before->base_paddr + before->bytes == range->base_paddr;

        sorted =
            sorted && (before == NULL || (before->base_paddr < range->base_paddr &&
                                          before->bytes <= range->base_paddr - before->base_paddr));
        merged = merged && !(touches && before->type == range->type);
        whole = whole && range->bytes != 0 && range->bytes <= UINT64_MAX - range->base_paddr;
        known = known && range->type >= BOOTINFO_MEMORY_USABLE &&
                range->type <= BOOTINFO_MEMORY_EFI_RUNTIME && range->reserved == 0;
        aligned = aligned && (range->type != BOOTINFO_MEMORY_USABLE ||
                              (range->base_paddr | range->bytes) % PAGE_BYTES == 0);
        report_text("# range = ");
        report_hex(range->base_paddr);
        report_text(" ");
        report_hex(range->bytes);
        report_text(" ");
        report_decimal(range->type);
        report_text("\n");
    }
    report_check(contract_info->memory_map_count > 0 && whole,
                 "no range of the memory map is empty");
    report_check(sorted, "the memory map is sorted and disjoint");
    report_check(merged, "neighbours of one type are merged");
    report_check(known, "the types of memory are known, the padding is 0");
    report_check(aligned, "usable memory is page-aligned");
}

/* struct bootinfo. */

static void check_ticks(const struct bootinfo *info, uint64_t loading)
{
    report_check(info->ticks_read != 0 && info->ticks_check != 0 && info->ticks_read <= loading &&
                     info->ticks_copy <= loading - info->ticks_read &&
                     info->ticks_check <= loading - info->ticks_read - info->ticks_copy,
                 "the ticks of loading add up");
    report_check(info->firmware == BOOTINFO_FIRMWARE_UEFI || info->ticks_copy != 0,
                 "on a BIOS what was read is copied");
}

static void check_bootinfo(const struct bootinfo *info)
{
    report_check(info->magic == BOOTINFO_MAGIC, "the magic is right");
    report_check(info->version == BOOTINFO_VERSION && info->size_bytes == sizeof(*info),
                 "the version and the size are right");
    report_check(info->command_line_bytes == string_bytes(info->command_line),
                 "the length of the command line is right");
    report_check(is_loader_memory(address(info), sizeof(*info)) &&
                     is_loader_memory(info->memory_map, info->memory_map_count *
                                                            sizeof(struct bootinfo_memory_range)),
                 "bootinfo and the memory map lie in memory of type LOADER");
    report_check(
        is_loader_memory(info->loader_name, string_bytes(info->loader_name) + 1) &&
            is_loader_memory(info->loader_version, string_bytes(info->loader_version) + 1) &&
            is_loader_memory(info->command_line, info->command_line_bytes + 1),
        "its strings lie in memory of type LOADER");
    report_check(info->tsc_stage1 != 0 && info->tsc_stage1 < info->tsc_stage2 &&
                     info->tsc_stage2 < info->tsc_loader && info->tsc_loader < info->tsc_load &&
                     info->tsc_load < info->tsc_map && info->tsc_map < info->tsc_enter,
                 "the time stamps grow");
    check_ticks(info, info->tsc_map - info->tsc_load);
}

static void check_what_is_0(const struct bootinfo *info)
{
    report_check((info->requests != 0) == (LEVELS_ASKED != 0) &&
                     info->request_count == (LEVELS_ASKED != 0) && info->modules == 0 &&
                     info->module_count == 0 && info->kernel_file == 0 &&
                     info->kernel_file_bytes == 0,
                 "what was not asked for is 0");
    report_check(info->cpus == 0 && info->cpu_count == 0,
                 "there is no list of CPUs where none was asked for");
    report_check(info->page_levels == page_levels() && info->recursive_entry == 0 &&
                     info->page_levels == (LEVELS_ASKED != 0 ? LEVELS_ASKED : 4),
                 "there are 4 levels of page tables unless asked for, and no recursive entry");
    report_check(info->kernel_slide == 0, "a kernel of fixed addresses does not slide");
    report_check(
        (info->tls_template | info->tls_file_bytes | info->tls_memory_bytes | info->tls_align) == 0,
        "without PT_TLS there is no template");
    report_check(info->firmware == BOOTINFO_FIRMWARE_UEFI ||
                     (info->efi_system_table_paddr | info->efi_memory_map |
                      info->efi_memory_map_bytes | info->efi_descriptor_bytes |
                      info->efi_descriptor_version) == 0,
                 "the fields of EFI are 0 on a BIOS");
}

/* What the firmware left behind [UEFI §4.3 "EFI System Table", §7.2.3 "GetMemoryMap()"]. */

struct efi_descriptor {
    uint32_t type;
    uint64_t paddr, vaddr, pages, attributes;
};

#define EFI_SIGNATURE 0x5453595320494249ull /* "IBI SYST" */
#define EFI_RUNTIME_CODE 5u
#define EFI_RUNTIME_DATA 6u
#define EFI_CONVENTIONAL 7u
#define EFI_WRITE_BACK 0x8u /* an attribute; memory without it is no RAM */

/* Whether the kernel's map agrees with a descriptor of the firmware's. */
static bool agrees(const struct efi_descriptor *descriptor)
{
    const uint32_t type = contract_memory_type(descriptor->paddr, descriptor->pages * PAGE_BYTES);

    if (descriptor->type == EFI_RUNTIME_CODE || descriptor->type == EFI_RUNTIME_DATA)
        return type == BOOTINFO_MEMORY_EFI_RUNTIME;
    return descriptor->type != EFI_CONVENTIONAL || descriptor->paddr == 0 ||
           !(descriptor->attributes & EFI_WRITE_BACK) || type == BOOTINFO_MEMORY_USABLE;
}

static bool efi_map_agrees(const struct bootinfo *info)
{
    uint64_t offset = 0, runtime = 0, conventional = 0;

    for (; offset < info->efi_memory_map_bytes; offset += info->efi_descriptor_bytes) {
        const struct efi_descriptor *descriptor =
            (const struct efi_descriptor *)(info->efi_memory_map + offset);

        if (!agrees(descriptor))
            return false;
        runtime += descriptor->type == EFI_RUNTIME_DATA;
        conventional += descriptor->type == EFI_CONVENTIONAL;
    }
    return offset == info->efi_memory_map_bytes && runtime > 0 && conventional > 0 &&
           info->efi_descriptor_version == 1;
}

static void check_efi(const struct bootinfo *info)
{
    const uint64_t table = info->efi_system_table_paddr;
    const bool is_efi = info->firmware == BOOTINFO_FIRMWARE_UEFI;

    report_check(!is_efi ||
                     (contract_memory_type(table, 24) == BOOTINFO_MEMORY_EFI_RUNTIME &&
                      *(const uint64_t *)(contract_physical_memory + table) == EFI_SIGNATURE),
                 "on UEFI the system table is there, in memory of type EFI_RUNTIME");
    report_check(!is_efi || is_loader_memory(info->efi_memory_map, info->efi_memory_map_bytes),
                 "on UEFI the firmware's memory map is there");
    report_check(!is_efi || efi_map_agrees(info), "on UEFI both memory maps agree");
}

/* For the test to judge. */
static void report_facts(const struct bootinfo *info)
{
    uint64_t seed;

    report_string("loader_name", (const char *)info->loader_name);
    report_string("loader_version", (const char *)info->loader_version);
    report_string("command_line", (const char *)info->command_line);
    report_value("boot_drive", info->boot_drive);
    report_value("disk_signature", info->disk_signature);
    report_value("kernel_paddr", info->kernel_paddr);
    report_value("firmware", info->firmware);
    report_value("rsdp_paddr", info->rsdp_paddr);
    report_value("smbios_paddr", info->smbios_paddr);
    report_value("smbios3_paddr", info->smbios3_paddr);
    report_value("wall_clock_s", (uint64_t)info->wall_clock_s);
    report_value("random_source", info->random_source);
    for (unsigned i = 0; i < sizeof(info->random_seed) / sizeof(seed); i++) {
        __builtin_memcpy(&seed, &info->random_seed[i * sizeof(seed)], sizeof(seed));
        report_text("# random_seed");
        report_decimal(i);
        report_text(" = ");
        report_hex(seed);
        report_text("\n");
    }
}

static void check_own_memory(void)
{
    bool zero = true;

    for (unsigned i = 0; i < BSS_QUADS; i++)
        zero = zero && bss[i] == 0;
    report_check(zero, "bss is zero");
    report_check(data == 0x0123456789ABCDEF && rodata == 0xFEDCBA9876543210,
                 "data and rodata are intact");
    data = bss[BSS_QUADS - 1] = 1;
    report_check(data == 1 && bss[BSS_QUADS - 1] == 1, "data and bss can be written");
}

void contract_main(const struct bootinfo *bootinfo)
{
    report_entered();
    contract_info = bootinfo;
    contract_cpu_has_nx = cpu_has(20);
    contract_cpu_has_1_gib_pages = cpu_has(26);
    contract_physical_memory = page_physical_memory();
    contract_physical_memory_bytes = page_levels() == 5 ? 1ull << 52 : 1ull << 46;
    check_own_memory();
    check_bootinfo(bootinfo);
    check_what_is_0(bootinfo);
    check_efi(bootinfo);
    report_facts(bootinfo);
    contract_check_machine();
    contract_check_pages();
    contract_check_devices();
    check_memory_map();
    report_done();
}
