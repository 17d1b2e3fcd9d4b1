/*
 * Limine: a 64-bit ELF, entered in long mode without an argument [Limine "Machine State at Entry",
 * "Memory Layout at Entry"]. limine.c answers its requests. Here is what the machine is like: page
 * tables after the kernel's base revision, and what of interrupts bootinfo.h leaves open.
 */
#include "acpi.h"
#include "bootinfo.h"
#include "cpus.h"
#include "placement.h"
#include "protocol.h"
#include "video.h"

#define FOUR_GIB 0x100000000ull
#define RIGHTS (PAGING_WRITABLE | PAGING_EXECUTABLE)

/* What is mapped above 4 GiB, and from revision 3 on below, too. */

static bool is_any(uint32_t type)
{
    (void)type;
    return true;
}

static bool is_neither_reserved_nor_bad(uint32_t type)
{
    const uint64_t told = limine_memory_type(type);

    return told != LIMINE_MEMMAP_RESERVED && told != LIMINE_MEMMAP_BAD_MEMORY;
}

static bool is_used(uint32_t type)
{
    const uint64_t told = limine_memory_type(type);

    return told == LIMINE_MEMMAP_USABLE || told == LIMINE_MEMMAP_BOOTLOADER_RECLAIMABLE ||
           told == LIMINE_MEMMAP_EXECUTABLE_AND_MODULES || told == LIMINE_MEMMAP_FRAMEBUFFER;
}

/* By base revision. */
static const struct layout {
    bool has_identity;   /* also one to one, but for page 0 */
    bool has_first_gibs; /* four of them, whatever is there */
    bool (*is_mapped)(uint32_t type);
} layouts[] = {
    {true, true, is_any},
    {false, true, is_neither_reserved_nor_bad},
    {false, true, is_neither_reserved_nor_bad},
    {false, false, is_used},
};

static void map(struct loader *loader, const struct layout *layout, uint64_t paddr, uint64_t bytes,
                unsigned int flags)
{
    struct paging *paging = &loader->space.paging;

    paging_map(paging, address_space_vaddr(&loader->space, paddr), paddr, bytes, flags);
    if (layout->has_identity && paddr == 0)
        paging_map(paging, MEMORY_PAGE_BYTES, MEMORY_PAGE_BYTES, bytes - MEMORY_PAGE_BYTES, flags);
    else if (layout->has_identity)
        paging_map(paging, paddr, paddr, bytes, flags);
}

static void map_framebuffer(struct loader *loader, const struct layout *layout)
{
    const struct bootinfo_framebuffer *framebuffer = &loader->framebuffer;
    const uint64_t paddr = framebuffer->paddr & ~(MEMORY_PAGE_BYTES - 1);
    const uint64_t end = framebuffer->paddr + framebuffer->bytes;

    if (framebuffer->bytes > 0)
        map(loader, layout, paddr, (end - paddr + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1),
            RIGHTS | PAGING_WRITE_COMBINING_LIMINE);
}

/* Types of memory, and so what an I/O window is cached like, may change within 1 GiB below 4 GiB.
 */
static void map_memory(struct loader *loader)
{
    const struct layout *layout = &layouts[loader->limine.base_revision];
    const uint64_t page_paddr = loader->handover.page_paddr, ram_end = loader->space.ram_end;
    uint64_t paddr = 0, bytes;

    address_space_map_kernel(loader);
    map_framebuffer(loader, layout);
    if (layout->has_first_gibs)
        map(loader, layout, 0, FOUR_GIB, RIGHTS | PAGING_NO_1GIB);
    while ((bytes = memory_map_next(&loader->map, &paddr, layout->is_mapped)) > 0 &&
           paddr < ram_end) {
        if (bytes > ram_end - paddr)
            bytes = ram_end - paddr;
        map(loader, layout, paddr, bytes, RIGHTS | (paddr < FOUR_GIB ? PAGING_NO_1GIB : 0));
        paddr += bytes;
    }
    paging_map(&loader->space.paging, page_paddr, page_paddr, MEMORY_PAGE_BYTES, RIGHTS);
}

static void prepare_handover(struct loader *loader)
{
    const struct address_space *space = &loader->space;
    const bool has_x2apic =
        loader->apic.is_x2apic ||
        (loader->limine.wants_x2apic && apic_can_be_x2apic(&loader->apic, &loader->cpu));

    loader->handover = (struct handover){
        .page_paddr = memory_map_take_pages(&loader->map, MEMORY_PAGE_BYTES),
        .tables_paddr = space->paging.root_paddr,
        .entry_vaddr = loader->protocol->entry_vaddr,
        .stack_top_vaddr = address_space_map_stack(loader, 0),
        .physical_memory = space->physical_memory,
        .levels = space->levels,
        .has_nx = space->paging.has_nx,
        .has_x2apic = has_x2apic,
        .is_limine = true,
    };
    cpus_note_mtrrs(loader);
    handover_copy(&loader->handover);
}

/* Page 0 is RAM, but no kernel is told so. */
void protocol_limine_prepare(struct loader *loader)
{
    struct memory_map *memory = &loader->map;

    loader->space.has_plain_stacks = true;
    address_space_start(loader);
    bootinfo_start(loader); /* for what it finds out: the kernel does not see it */
    limine_start(loader);
    prepare_handover(loader);
    cpus_prepare(loader);
    video_start(loader);
    limine_answer(loader);
    memory_map_retype(memory, 0, MEMORY_PAGE_BYTES, MEMORY_LEASED, BOOTINFO_MEMORY_RESERVED);
    map_memory(loader);
    plan_free(&loader->plan, memory);
    firmware_give_back(memory);
    memory_map_settle(memory);
}

static bool is_ram(const struct memory_map *map, uint64_t paddr)
{
    uint64_t start = paddr;

    return memory_map_next_ram(map, &start) > 0 && start <= paddr;
}

/* Not where a table lies about them. */
static void mask_io_apics(const struct loader *loader)
{
    const struct acpi_table madt = acpi_find_madt(loader->info->rsdp_paddr, &loader->map);
    uint32_t paddr;

    for (uint32_t offset = 0; acpi_next_io_apic(&madt, &offset, &paddr);) {
        if (!is_ram(&loader->map, paddr))
            firmware_mask_io_apic(paddr);
    }
}

void protocol_limine_enter(struct loader *loader)
{
    firmware_leave(&loader->map, loader->info);
    firmware_mask_interrupts();
    mask_io_apics(loader);
    if (loader->handover.has_x2apic)
        apic_use_x2apic(&loader->apic);
    cpus_start(loader);
    limine_answer_last(loader);
    handover_enter(&loader->handover);
}
