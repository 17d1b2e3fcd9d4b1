/*
 * Beside the second step: what a protocol reads of the kernel's memory before there is any. Most of
 * it are the file's bytes; those that a relocation will patch are patched here, one by one.
 */
#include "loaded.h"

#include "bootimage/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 8u
/* A bitmap of RELR tells of this many words. */
#define BITMAP_WORDS 63u

static bool is_inside(uint64_t start, uint64_t bytes, uint64_t outer, uint64_t outer_bytes)
{
    return start - outer <= outer_bytes && bytes <= outer_bytes - (start - outer);
}

static int compare_place(const void *key, const void *element)
{
    const uint64_t *vaddr = key;
    const struct kernel_segment *segment = element;

    if (*vaddr < segment->vaddr)
        return -1;
    return *vaddr - segment->vaddr >= segment->memory_bytes;
}

const struct kernel_segment *loaded_segment(const struct kernel *kernel, uint64_t vaddr,
                                            uint64_t bytes)
{
    const struct kernel_segment *segment =
        bsearch(&vaddr, kernel->segments, kernel->segment_count, sizeof(*segment), compare_place);

    return segment && is_inside(vaddr, bytes, segment->vaddr, segment->memory_bytes) ? segment
                                                                                     : NULL;
}

bool loaded_offset(const struct kernel *kernel, uint64_t vaddr, uint64_t bytes, uint64_t *offset)
{
    const struct kernel_segment *segment = loaded_segment(kernel, vaddr, bytes);

    if (!segment || !is_inside(vaddr, bytes, segment->vaddr, segment->file_bytes))
        return false;
    *offset = segment->file_offset + (vaddr - segment->vaddr);
    return true;
}

/* Bytes of a segment's memory: of the file, and zeros behind these. */
static bool read_raw(const struct kernel *kernel, uint64_t vaddr, void *bytes, size_t count,
                     struct error *error)
{
    const struct kernel_segment *segment = loaded_segment(kernel, vaddr, count);
    const uint64_t start = vaddr - segment->vaddr;
    size_t in_file = 0;

    if (start < segment->file_bytes)
        in_file =
            segment->file_bytes - start < count ? (size_t)(segment->file_bytes - start) : count;
    memset(bytes, 0, count);
    return in_file == 0 || input_read(&kernel->file, kernel->fd, bytes, in_file,
                                      segment->file_offset + start, error);
}

/* What is looked for, and where a table of relocations has been read to. */
struct lookup {
    const struct kernel *kernel;
    uint64_t vaddr;
    uint64_t word;
    uint64_t next; /* of RELR: behind the last word told of */
};

static void apply_rela(struct lookup *lookup, const uint8_t *bytes)
{
    Elf64_Rela entry;

    memcpy(&entry, bytes, sizeof(entry));
    if (entry.r_offset + lookup->kernel->slide == lookup->vaddr)
        lookup->word = (uint64_t)entry.r_addend + lookup->kernel->slide;
}

static void apply_relr(struct lookup *lookup, const uint8_t *bytes)
{
    const uint64_t slide = lookup->kernel->slide;
    Elf64_Relr entry;
    uint64_t at;

    memcpy(&entry, bytes, sizeof(entry));
    if ((entry & 1) == 0) {
        lookup->word += entry + slide == lookup->vaddr ? slide : 0;
        lookup->next = entry + slide + WORD_BYTES;
        return;
    }
    at = (lookup->vaddr - lookup->next) / WORD_BYTES;
    if (lookup->vaddr >= lookup->next && (lookup->vaddr - lookup->next) % WORD_BYTES == 0 &&
        at < BITMAP_WORDS && (entry >> (at + 1) & 1) != 0)
        lookup->word += slide;
    lookup->next += BITMAP_WORDS * WORD_BYTES;
}

static bool apply_table(struct lookup *lookup, const struct kernel_relocations *table,
                        struct input_reader *reader, struct error *error)
{
    const bool is_rela = table->form == PLAN_RELOCATIONS_RELA;
    const size_t entry_bytes = is_rela ? sizeof(Elf64_Rela) : sizeof(Elf64_Relr);
    const uint64_t room = INPUT_BUFFER_BYTES / entry_bytes * entry_bytes;
    uint64_t offset = 0;

    loaded_offset(lookup->kernel, table->vaddr, table->bytes, &offset);
    for (uint64_t done = 0; done < table->bytes;) {
        uint64_t bytes = table->bytes - done < room ? table->bytes - done : room;
        struct input_piece piece = {&lookup->kernel->file, offset + done, bytes};

        if (input_next(reader, &piece, error) == 0)
            return false;
        for (uint64_t at = 0; at < bytes; at += entry_bytes)
            (is_rela ? apply_rela : apply_relr)(lookup, reader->buffer + at);
        done += bytes;
    }
    return true;
}

static void apply_patches(struct lookup *lookup)
{
    const struct kernel *kernel = lookup->kernel;

    for (size_t i = 0; i < kernel->patch_count; i++) {
        const struct kernel_patch *patch = &kernel->patches[i];

        if (patch->vaddr + kernel->slide == lookup->vaddr)
            lookup->word = patch->value + (patch->is_absolute ? 0 : kernel->slide);
    }
}

bool loaded_word(const struct kernel *kernel, uint64_t vaddr, uint64_t *word, struct error *error)
{
    struct lookup lookup = {.kernel = kernel, .vaddr = vaddr};
    struct input_reader reader;
    bool done = read_raw(kernel, vaddr, &lookup.word, sizeof(lookup.word), error);

    if (done && kernel->relocation_count > 0) {
        done = input_reader_open(&reader, error);
        for (size_t i = 0; done && i < kernel->relocation_count; i++)
            done = apply_table(&lookup, &kernel->relocations[i], &reader, error);
        input_reader_close(&reader);
    }
    apply_patches(&lookup);
    *word = lookup.word;
    return done;
}

bool loaded_text(const struct kernel *kernel, uint64_t vaddr, char *text, size_t room,
                 bool *is_text, struct error *error)
{
    const struct kernel_segment *segment = loaded_segment(kernel, vaddr, 1);
    uint64_t there = segment ? segment->memory_bytes - (vaddr - segment->vaddr) : 0;
    size_t count = there < room ? (size_t)there : room;

    *is_text = false;
    if (count == 0)
        return true;
    if (!read_raw(kernel, vaddr, text, count, error))
        return false;
    *is_text = memchr(text, 0, count) != NULL;
    return true;
}
