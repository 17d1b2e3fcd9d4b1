/*
 * Second step, for kernels that are entered without paging: their physical addresses become the
 * only ones.
 *
 * So all that comes later handles them as it does virtual addresses. placement.c comes next; it
 * keeps them where they are.
 */
#include "physical.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

#define FOUR_GIB 0x100000000ull

bool physical_check_file(const struct kernel *kernel, struct error *error)
{
    if (!kernel->elf)
        return true;
    if (kernel->machine != EM_386 && kernel->machine != EM_X86_64)
        return error_set(error,
                         "%s: is for machine %u (e_machine), but this is a boot protocol of PCs; "
                         "build the kernel for x86 (%u) or x86-64 (%u) [wrong-machine]",
                         kernel->path, kernel->machine, EM_386, EM_X86_64);
    if (kernel->type != ET_EXEC && kernel->type != ET_DYN)
        return error_set(error,
                         "%s: has ELF type %u, not an executable (ET_EXEC, %u); link it with ld "
                         "[elf-type]",
                         kernel->path, kernel->type, ET_EXEC);
    return true;
}

/* Some linker scripts leave p_paddr 0 everywhere. */
static bool has_paddrs(const struct kernel *kernel)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        if (kernel->segments[i].paddr != 0)
            return true;
    }
    return false;
}

/* Is [start, start + memory bytes of the segment) where the address lies? */
static bool holds(uint64_t start, const struct kernel_segment *segment, uint64_t address)
{
    return address >= start && address - start < segment->memory_bytes;
}

/* e_entry is virtual like all addresses of an ELF file, but many scripts make it physical. */
static bool find_entry(const struct kernel *kernel, uint64_t *entry, struct error *error)
{
    const uint64_t wanted = kernel->entry_vaddr;

    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (holds(segment->vaddr, segment, wanted)) {
            *entry = wanted - segment->vaddr + segment->paddr;
            return true;
        }
    }
    for (size_t i = 0; i < kernel->segment_count; i++) {
        if (holds(kernel->segments[i].paddr, &kernel->segments[i], wanted)) {
            *entry = wanted;
            return true;
        }
    }
    return error_set(error,
                     "%s: entry 0x%" PRIx64 " lies in no segment; name the entry symbol with "
                     "ENTRY() in the linker script or with -e [entry-nowhere]",
                     kernel->path, wanted);
}

bool physical_check_entry(const struct kernel *kernel, uint64_t entry, struct error *error)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        if (holds(kernel->segments[i].paddr, &kernel->segments[i], entry))
            return true;
    }
    return error_set(error,
                     "%s: its header asks to be entered at physical address 0x%" PRIx64
                     ", where no segment lies; put the symbol's physical address there "
                     "[entry-physical]",
                     kernel->path, entry);
}

static int compare_paddr(const void *left, const void *right)
{
    const struct kernel_segment *a = left;
    const struct kernel_segment *b = right;

    if (a->paddr != b->paddr)
        return a->paddr < b->paddr ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static bool check_segments(const struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];
        uint64_t end = segment->paddr + segment->memory_bytes;

        if (segment->paddr >= FOUR_GIB || segment->memory_bytes > FOUR_GIB - segment->paddr)
            return error_set(error,
                             "%s: segment %" PRIu32 " of 0x%" PRIx64
                             " bytes has the physical address 0x%" PRIx64
                             " (p_paddr), but the kernel is entered in 32-bit mode, below 4 GiB; "
                             "give it one by AT() in the linker script [segment-above-4-gib]",
                             kernel->path, segment->index, segment->memory_bytes, segment->paddr);
        if (i + 1 < kernel->segment_count && end > segment[1].paddr)
            return error_set(error,
                             "%s: segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                             ") overlaps segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                             ") in physical memory; correct AT() in the linker script "
                             "[segment-overlap-physical]",
                             kernel->path, segment->index, segment->paddr, end, segment[1].index,
                             segment[1].paddr, segment[1].paddr + segment[1].memory_bytes);
    }
    return true;
}

bool physical_place(struct kernel *kernel, const uint64_t *entry, struct error *error)
{
    uint64_t own_entry = 0;

    if (!has_paddrs(kernel)) {
        for (size_t i = 0; i < kernel->segment_count; i++)
            kernel->segments[i].paddr = kernel->segments[i].vaddr;
    }
    if (entry ? !physical_check_entry(kernel, *entry, error)
              : !find_entry(kernel, &own_entry, error))
        return false;
    qsort(kernel->segments, kernel->segment_count, sizeof(*kernel->segments), compare_paddr);
    if (!check_segments(kernel, error))
        return false;
    for (size_t i = 0; i < kernel->segment_count; i++)
        kernel->segments[i].vaddr = kernel->segments[i].paddr;
    kernel->entry_vaddr = entry ? *entry : own_entry;
    kernel->physical = true;
    kernel->tls = (struct kernel_tls){0};
    kernel->relro = (struct kernel_relro){0};
    return true;
}

bool physical_use_fields(struct kernel *kernel, const struct physical_fields *fields,
                         struct error *error)
{
    uint64_t file_bytes = kernel->file.bytes;
    uint64_t load_end = fields->load_end;

    if (load_end == 0 && fields->file_offset <= file_bytes)
        load_end = fields->load_paddr + (file_bytes - fields->file_offset);
    uint64_t load_bytes = load_end - fields->load_paddr;
    if (load_end < fields->load_paddr || fields->file_offset > file_bytes ||
        load_bytes > file_bytes - fields->file_offset)
        return error_set(
            error,
            "%s: its header asks for file offset 0x%" PRIx64 " to be loaded to 0x%" PRIx64
            " and up to 0x%" PRIx64 " (load_addr, load_end_addr), but the file ends at "
            "offset 0x%" PRIx64 "; correct these addresses [header-load-address]",
            kernel->path, fields->file_offset, fields->load_paddr, load_end, file_bytes);
    uint64_t end = fields->bss_end ? fields->bss_end : load_end;
    if (end < load_end || end == fields->load_paddr)
        return error_set(error,
                         "%s: its header asks for memory up to 0x%" PRIx64
                         " (bss_end_addr), but its "
                         "bytes reach from 0x%" PRIx64 " to 0x%" PRIx64
                         " (load_addr, load_end_addr); correct it, or make it 0 [header-bss-end]",
                         kernel->path, end, fields->load_paddr, load_end);
    free(kernel->segments);
    kernel->segments = calloc(1, sizeof(*kernel->segments));
    if (!kernel->segments)
        return error_out_of_memory(error);
    kernel->segment_count = 1;
    kernel->segments[0] = (struct kernel_segment){
        .vaddr = fields->load_paddr,
        .paddr = fields->load_paddr,
        .memory_bytes = end - fields->load_paddr,
        .file_bytes = load_bytes,
        .file_offset = fields->file_offset,
        .align = 1,
        .writable = true,
        .executable = true,
    };
    return true;
}
