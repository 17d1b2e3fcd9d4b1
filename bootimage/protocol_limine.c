/*
 * Limine: kernels whose loaded bytes carry requests, each known by four numbers of which the first
 * two are common to all [Limine "The Limine Boot Protocol", "Requests"]. They are looked for here,
 * and refused: the loader has no answers for them yet. Entered without any, such a kernel would
 * stop, and nobody would know why.
 */
#include "protocol.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <string.h>

#define STEP 8u
/* Of each segment, so that one of a TiB costs no more than others. */
#define MOST_BYTES ((uint64_t)16 << 20)
static const uint64_t magic[2] = {0xc7b1dd30df4c8b88, 0x0a82e883a194f07b};

/* What was found so far. */
struct search {
    size_t count;
    uint64_t first_vaddr;
    uint64_t last; /* the number before */
};

static void look_at(struct search *search, const uint8_t *bytes, size_t count, uint64_t vaddr)
{
    for (size_t at = 0; at + STEP <= count; at += STEP) {
        uint64_t number;

        memcpy(&number, bytes + at, sizeof(number));
        if (search->last == magic[0] && number == magic[1] && search->count++ == 0)
            search->first_vaddr = vaddr + at - STEP;
        search->last = number;
    }
}

/* Requests lie at multiples of 8. */
static bool search_segment(struct search *search, const struct kernel *kernel,
                           const struct kernel_segment *segment, struct input_reader *reader,
                           struct error *error)
{
    uint64_t skipped = (0 - segment->vaddr) % STEP, vaddr = segment->vaddr + skipped;

    search->last = 0;
    if (skipped >= segment->file_bytes)
        return true;
    struct input_piece piece = {&kernel->file, segment->file_offset + skipped,
                                segment->file_bytes - skipped};
    if (piece.bytes > MOST_BYTES)
        piece.bytes = MOST_BYTES;
    while (piece.bytes > 0) {
        size_t bytes = input_next(reader, &piece, error);

        if (bytes == 0)
            return false;
        look_at(search, reader->buffer, bytes, vaddr);
        vaddr += bytes;
    }
    return true;
}

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    struct search search = {0};
    struct input_reader reader;
    bool done = kernel->class != 0 && input_reader_open(&reader, error);

    (void)reason;
    if (!done)
        return PROTOCOL_NO_MARK;
    for (size_t i = 0; done && i < kernel->segment_count; i++)
        done = search_segment(&search, kernel, &kernel->segments[i], &reader, error);
    input_reader_close(&reader);
    if (!done || search.count == 0)
        return PROTOCOL_NO_MARK;
    error_set(
        error,
        "%s: carries %zu request%s of the Limine boot protocol, the first at 0x%" PRIx64
        ", which this bootimage does not serve; build the kernel for another protocol, or give "
        "--protocol=plain if it starts without them, too [limine]",
        kernel->path, search.count, search.count > 1 ? "s" : "", search.first_vaddr);
    return PROTOCOL_BROKEN_MARK;
}

/* Never reached, as it is never recognised. */
static bool validate(struct kernel *kernel, struct error *error)
{
    return recognise(kernel, NULL, error) == PROTOCOL_MARKED;
}

const struct protocol protocol_limine = {
    .number = PLAN_PROTOCOL_LIMINE,
    .name = "limine",
    .recognise = recognise,
    .validate = validate,
};
