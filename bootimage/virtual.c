/*
 * Second step, for kernels that are entered with paging: each segment is mapped at its p_vaddr, and
 * from that follows every check. Protocols that promise other maps beside it check more.
 */
#include "virtual.h"

#include <elf.h>
#include <inttypes.h>

#define LOW_HALF_END 0x0000800000000000ull
#define HIGH_HALF_START 0xffff800000000000ull
#define LAST_PAGE 0xfffffffffffff000ull

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_386:
        return " (32-bit x86)";
    case EM_AARCH64:
        return " (AArch64)";
    case EM_ARM:
        return " (ARM)";
    case EM_RISCV:
        return " (RISC-V)";
    default:
        return "";
    }
}

static bool check_machine(const struct kernel *kernel, struct error *error)
{
    if (kernel->class == 0)
        return error_set(error,
                         "%s: is not an ELF file, and carries no header of a boot protocol; name "
                         "the kernel as the linker wrote it [not-elf]",
                         kernel->path);
    if (kernel->machine != EM_X86_64)
        return error_set(
            error, "%s: is for machine %u%s; build the kernel for x86-64 (%u) [wrong-machine]",
            kernel->path, kernel->machine, machine_name(kernel->machine), EM_X86_64);
    if (kernel->class == ELFCLASS32 && kernel->position_independent)
        return error_set(
            error,
            "%s: is position-independent, with 64-bit code in a 32-bit ELF file; build "
            "the kernel with -m64, or link it with -no-pie [elf-32-bit-pie]",
            kernel->path);
    return true;
}

static bool check_type(const struct kernel *kernel, struct error *error)
{
    /* A script may keep .interp where nothing is dynamic. */
    if (kernel->has_interpreter && kernel->dynamic.has_needed)
        return error_set(
            error,
            "%s: is a program for an operating system: it asks for a dynamic linker "
            "(PT_INTERP); link the kernel with -nostdlib -static-pie, or -nostdlib -static -no-pie "
            "[interpreter]",
            kernel->path);
    if (kernel->type == ET_REL)
        return error_set(
            error, "%s: is an object file (ET_REL), not yet linked; link it with ld [object-file]",
            kernel->path);
    if (kernel->type != ET_EXEC && kernel->type != ET_DYN)
        return error_set(error,
                         "%s: has ELF type %u, not an executable (ET_EXEC, %u); link it with "
                         "ld [elf-type]",
                         kernel->path, kernel->type, ET_EXEC);
    return true;
}

bool virtual_check_file(const struct kernel *kernel, struct error *error)
{
    return check_machine(kernel, error) && check_type(kernel, error);
}

/* Starts a message: the file, the segment and its range. */
#define SEGMENT_FORMAT "%s: segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64 ") "
#define SEGMENT_ARGUMENTS(kernel, segment)                                                         \
    (kernel)->path, (segment)->index, (segment)->vaddr, (segment)->vaddr + (segment)->memory_bytes

static bool check_vaddr(const struct kernel *kernel, const struct kernel_segment *segment,
                        struct error *error)
{
    uint64_t end = segment->vaddr + segment->memory_bytes;
    bool low = end <= LOW_HALF_END;
    bool high = segment->vaddr >= HIGH_HALF_START;

    if (!low && !high)
        return error_set(error,
                         SEGMENT_FORMAT
                         "has addresses that are not canonical, from 0x%llx to "
                         "0x%llx; link the kernel below or above them [segment-not-canonical]",
                         SEGMENT_ARGUMENTS(kernel, segment), LOW_HALF_END, HIGH_HALF_START - 1);
    if (end > LAST_PAGE)
        return error_set(error,
                         SEGMENT_FORMAT "touches the last page of the address space; link the "
                                        "kernel lower [segment-last-page]",
                         SEGMENT_ARGUMENTS(kernel, segment));
    if (segment->vaddr < PLACEMENT_PAGE_BYTES)
        return error_set(error,
                         SEGMENT_FORMAT
                         "touches page 0, which stays unmapped to catch null "
                         "pointers; link the kernel at 1 MiB or above [segment-page-0]",
                         SEGMENT_ARGUMENTS(kernel, segment));
    return true;
}

static bool check_disjoint(const struct kernel *kernel, const struct kernel_segment *below,
                           const struct kernel_segment *above, struct error *error)
{
    if (below->vaddr + below->memory_bytes <= above->vaddr)
        return true;
    return error_set(error,
                     SEGMENT_FORMAT
                     "overlaps segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64
                     "); give them addresses of their own in the linker script [segment-overlap]",
                     SEGMENT_ARGUMENTS(kernel, above), below->index, below->vaddr,
                     below->vaddr + below->memory_bytes);
}

bool virtual_check_segments(const struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (!check_vaddr(kernel, segment, error))
            return false;
        if (i > 0 && !check_disjoint(kernel, segment - 1, segment, error))
            return false;
    }
    return true;
}

bool virtual_check_entry(const struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (kernel->entry_vaddr < segment->vaddr ||
            kernel->entry_vaddr - segment->vaddr >= segment->memory_bytes)
            continue;
        if (segment->executable)
            return true;
        return error_set(error,
                         "%s: entry 0x%" PRIx64 " lies in segment %" PRIu32
                         ", which is not executable; check ENTRY() and the sections' flags "
                         "[entry-not-executable]",
                         kernel->path, kernel->entry_vaddr, segment->index);
    }
    return error_set(error,
                     "%s: entry 0x%" PRIx64 " lies in no segment; name the entry symbol with "
                     "ENTRY() in the linker script or with -e [entry-nowhere]",
                     kernel->path, kernel->entry_vaddr);
}

/* One warning for all segments of a kind: a kernel may have thousands. */
void virtual_warn_rights(const struct kernel *kernel, const struct placement *placement,
                         struct error *error)
{
    const struct kernel_segment *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (segment->writable && segment->executable && count++ == 0)
            first = segment;
    }
    if (first)
        error_warn(error,
                   SEGMENT_FORMAT "%sis writable and executable; link with -z separate-code and "
                                  "without -N (--omagic) [segment-writable-executable]",
                   SEGMENT_ARGUMENTS(kernel, first), count > 1 ? "and more " : "");
    if (placement->mixed_page_count)
        error_warn(error,
                   "%s: page 0x%" PRIx64
                   "%s is writable and executable, as segments share it; link "
                   "with -z separate-code, or align the segments to 4096 in the linker script "
                   "[page-writable-executable]",
                   kernel->path, placement->mixed_page_vaddr,
                   placement->mixed_page_count > 1 ? " and more" : "");
}
