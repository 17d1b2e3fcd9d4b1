/*
 * Second step: a position-independent kernel gets its virtual addresses.
 *
 * From here on all that struct kernel holds includes the slide, the distance from the addresses in
 * the ELF file; for a random address those of the first place, to which the loader adds. Whether
 * the addresses can be mapped, the protocol checks next, and relocation.c what has to be patched.
 */
#include "base.h"

#include "placement.h"
#include "request.h"
#include "request_rules.h"

#include "bootimage/bootinfo.h"

#include <elf.h>
#include <inttypes.h>

/* What is linked below is linked "at 0", headers and all: nothing is ever mapped here. */
#define LINKED_LOW 0x100000ull
/* Pages that the loader maps text with; and a random address that a 4 KiB page would tell less of.
 */
#define RANDOM_STEP 0x200000ull
#define RANDOM_LEAST_PLACES 4096u

/* The pages of the segments, as linked. */
struct extent {
    uint64_t start; /* page-aligned */
    uint64_t bytes; /* up to the last segment's end */
    uint64_t align; /* p_align of all segments: slides are multiples of it */
};

static struct extent extent_of(const struct kernel *kernel)
{
    uint64_t start = placement_page_start(&kernel->segments[0]);
    struct extent extent = {.start = start - kernel->slide, .align = PLACEMENT_PAGE_BYTES};

    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];
        uint64_t end = segment->vaddr - start + segment->memory_bytes;

        if (end > extent.bytes)
            extent.bytes = end;
        if (segment->align > extent.align)
            extent.align = segment->align;
    }
    return extent;
}

static bool check_alignments(const struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if ((segment->align & (segment->align - 1)) != 0)
            return error_set(error,
                             "%s: segment %" PRIu32 " has an alignment of 0x%" PRIx64
                             " (p_align), which is no power of two; build the kernel again "
                             "[segment-align]",
                             kernel->path, segment->index, segment->align);
    }
    return true;
}

/* Slides are below 2^64, so addresses wrap: what counts is that the kernel does not. */
static bool check_fit(const struct kernel *kernel, uint64_t base, const char *cure,
                      struct error *error)
{
    struct extent extent = extent_of(kernel);

    if ((base - extent.start) % extent.align != 0)
        return error_set(error,
                         "%s: cannot be mapped at 0x%" PRIx64 ", as its segments are aligned to "
                         "0x%" PRIx64 " (p_align) and it is linked at 0x%" PRIx64 "; %s "
                         "[base-align]",
                         kernel->path, base, extent.align, extent.start, cure);
    if (extent.bytes >= -base)
        return error_set(error,
                         "%s: takes 0x%" PRIx64 " bytes, which go past the end of the address "
                         "space from 0x%" PRIx64 "; %s [base-high]",
                         kernel->path, extent.bytes, base, cure);
    return true;
}

static bool check_base(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error)
{
    return check_fit(kernel, request->words[0],
                     "ask for another address, by --base or BOOTINFO_REQUEST_BASE", error);
}

/* From the step that the kernel is linked in, so that the slide is a whole number of steps. */
static struct kernel_random random_places(const struct kernel *kernel, uint64_t *slide)
{
    struct extent extent = extent_of(kernel);
    uint64_t step = extent.align > RANDOM_STEP ? extent.align : RANDOM_STEP;
    uint64_t inside = extent.start % step;
    uint64_t window = REQUEST_RANDOM_END - REQUEST_RANDOM_START;

    *slide = REQUEST_RANDOM_START - (extent.start - inside);
    if (extent.bytes > window || inside > window - extent.bytes)
        return (struct kernel_random){.step_bytes = step};
    return (struct kernel_random){step, (window - inside - extent.bytes) / step + 1};
}

static bool check_random(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error)
{
    uint64_t slide;
    struct kernel_random random = random_places(kernel, &slide);

    if (request->words[0] == 0 || random.places >= RANDOM_LEAST_PLACES)
        return true;
    return error_set(error,
                     "%s: takes 0x%" PRIx64 " bytes in steps of 0x%" PRIx64
                     ", which leaves %" PRIu64
                     " places in [0x%llx, 0x%llx), fewer than %u; make it smaller, or do without "
                     "a random address [random-places]",
                     kernel->path, extent_of(kernel).bytes, random.step_bytes, random.places,
                     REQUEST_RANDOM_START, REQUEST_RANDOM_END, RANDOM_LEAST_PLACES);
}

static bool settle_requests(struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->request_count; i++) {
        struct kernel_request *request = &kernel->requests[i];

        if (!request->met)
            continue;
        if (request_is(request, BOOTINFO_REQUEST_BASE) &&
            !request_settle(kernel, request, check_base, error))
            return false;
        if (request_is(request, BOOTINFO_REQUEST_RANDOM_BASE) &&
            !request_settle(kernel, request, check_random, error))
            return false;
    }
    return true;
}

/* A linker that nobody told otherwise makes p_paddr what p_vaddr is: at 0 it says nothing. */
static bool is_linked_low(const struct kernel *kernel)
{
    if (extent_of(kernel).start >= LINKED_LOW)
        return false;
    for (size_t i = 0; i < kernel->segment_count; i++) {
        if (kernel->segments[i].paddr != kernel->segments[i].vaddr - kernel->slide)
            return false;
    }
    return true;
}

static void move(struct kernel *kernel, uint64_t slide)
{
    uint64_t distance = slide - kernel->slide;

    for (size_t i = 0; i < kernel->segment_count; i++)
        kernel->segments[i].vaddr += distance;
    kernel->entry_vaddr += distance;
    kernel->tls.vaddr += distance;
    kernel->relro.start += distance;
    kernel->relro.end += distance;
    kernel->slide = slide;
}

bool base_choose(struct kernel *kernel, struct error *error)
{
    uint64_t slide = 0;

    if (!kernel->position_independent)
        return true;
    if (!check_alignments(kernel, error) || !settle_requests(kernel, error))
        return false;
    uint64_t start = extent_of(kernel).start;
    uint64_t base = request_word(kernel, BOOTINFO_REQUEST_BASE, 0);
    kernel->random = (struct kernel_random){0};
    kernel->anywhere = is_linked_low(kernel);
    if (request_word(kernel, BOOTINFO_REQUEST_RANDOM_BASE, 0) == 1)
        kernel->random = random_places(kernel, &slide);
    else if (base != 0)
        slide = base - start;
    else if (start < LINKED_LOW)
        slide = BOOTINFO_KERNEL_BASE;
    if (!check_fit(kernel, start + slide, "ask for another address by --base", error))
        return false;
    move(kernel, slide);
    return true;
}
