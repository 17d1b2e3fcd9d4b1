/*
 * The plain 64-bit protocol: any freestanding x86-64 ELF, entered in long mode at e_entry.
 *
 * Here stands what only this protocol refuses. It maps each segment at its p_vaddr beside the maps
 * that bootinfo.h promises, and applies no relocation; from that follows every check.
 */
#include "protocol.h"

#include "base.h"
#include "relocation.h"
#include "request.h"
#include "virtual.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <stdio.h>

#define ONE_MIB 0x100000ull
#define VIDEO_HOLE 0xa0000ull

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    (void)error;
    if (kernel->request_count > 0)
        snprintf(reason, PROTOCOL_REASON_BYTES, "%zu ELF notes of the name bootimage",
                 kernel->request_count);
    else
        snprintf(reason, PROTOCOL_REASON_BYTES, "no mark of any other protocol");
    return PROTOCOL_MARKED;
}

static bool validate(struct kernel *kernel, struct error *error)
{
    return request_check(kernel, error) && virtual_check_file(kernel, error) &&
           base_choose(kernel, error) && virtual_check_segments(kernel, error) &&
           virtual_check_entry(kernel, error) && relocation_read(kernel, error) &&
           request_place(kernel, error);
}

/* Starts a message: the file, the segment and its range. */
#define SEGMENT_FORMAT "%s: segment %" PRIu32 " [0x%" PRIx64 ", 0x%" PRIx64 ") "
#define SEGMENT_PHYSICAL(kernel, segment)                                                          \
    (kernel)->path, (segment)->index, (segment)->paddr, (segment)->paddr + (segment)->memory_bytes

static bool validate_paddr(const struct kernel *kernel, const struct kernel_segment *segment,
                           struct error *error)
{
    if (segment->paddr >= ONE_MIB)
        return true;
    if (segment->paddr + segment->memory_bytes <= VIDEO_HOLE)
        return error_set(error,
                         SEGMENT_FORMAT
                         "lies below 1 MiB, where the BIOS and the loader work; link "
                         "the kernel at 1 MiB or above [segment-below-1-mib]",
                         SEGMENT_PHYSICAL(kernel, segment));
    /* ld puts the headers into a page of their own below -Ttext, so that 0x100000 does not do. */
    bool headers = segment->file_offset == 0 && segment->file_bytes > 0;
    return error_set(error,
                     SEGMENT_FORMAT "%soverlaps the video memory hole [0x%llx, 0x%llx); link the "
                                    "kernel at %s [segment-video-memory]",
                     SEGMENT_PHYSICAL(kernel, segment), headers ? "holds the ELF header and " : "",
                     VIDEO_HOLE, ONE_MIB,
                     headers ? "0x101000 (-Ttext) or above" : "1 MiB or above");
}

static bool validate_placement(const struct kernel *kernel, const struct placement *placement,
                               struct error *error)
{
    for (size_t i = 0; placement->fixed && i < kernel->segment_count; i++) {
        if (!validate_paddr(kernel, &kernel->segments[i], error))
            return false;
    }
    virtual_warn_rights(kernel, placement, error);
    return true;
}

const struct protocol protocol_plain = {
    .number = PLAN_PROTOCOL_PLAIN,
    .name = "plain",
    .region_flags = PLAN_REGION_MOVABLE,
    .has_requests = true,
    .recognise = recognise,
    .validate = validate,
    .validate_placement = validate_placement,
};
