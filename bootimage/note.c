/*
 * Part of the first step: ELF notes of the name "bootimage" become requests, word by word, and one
 * of the name "Xen" the entry of PVH.
 *
 * No size is believed: places are compared with the file, and libelf with a copy of the place. What
 * a request means, and whether it can be met, is for request.c, the next to look at them.
 */
#include "note.h"

#include "bootimage/bootinfo.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES sizeof(BOOTINFO_NOTE_NAME)
#define WORD_BYTES 8u
/* XEN_ELFNOTE_PHYS32_ENTRY [Xen public/elfnote.h]. */
#define XEN_NAME "Xen"
#define XEN_ENTRY 18u

/* Which notes are looked for; and how many there were. */
struct wanted {
    bool requests;
    bool xen;
    size_t found;
};

/* Bytes of the file that hold notes. */
struct place {
    const char *kind; /* for messages: "segment" or "section" */
    size_t index;
    uint64_t offset;
    uint64_t bytes;
    uint64_t align;
};

#define PLACE_FORMAT "%s: %s %zu (notes) "
#define PLACE_ARGUMENTS(kernel, place) (kernel)->path, (place)->kind, (place)->index

/* A name as Rust or an assembler may have written it by mistake: without the 0, or with padding. */
static bool almost_our_name(const char *name, size_t bytes)
{
    size_t text_bytes = NAME_BYTES - 1;

    if (bytes < text_bytes || memcmp(name, BOOTINFO_NOTE_NAME, text_bytes) != 0)
        return false;
    for (size_t i = text_bytes; i < bytes; i++) {
        if (name[i] != 0)
            return false;
    }
    return bytes != NAME_BYTES;
}

static bool add_request(struct kernel *kernel, const struct place *place, const GElf_Nhdr *header,
                        const uint8_t *words, struct error *error)
{
    struct kernel_request request = {.type = header->n_type, .met = true};

    if (header->n_descsz % WORD_BYTES != 0)
        return error_set(error,
                         PLACE_FORMAT "holds a request of %" PRIu32
                                      " bytes, but requests are words of 8 bytes; correct the "
                                      "length in the note [note-length]",
                         PLACE_ARGUMENTS(kernel, place), header->n_descsz);
    if (kernel->request_count == NOTE_MAXIMUM)
        return error_set(error,
                         PLACE_FORMAT "holds more than %u requests; ask for fewer and larger maps "
                                      "[too-many-requests]",
                         PLACE_ARGUMENTS(kernel, place), NOTE_MAXIMUM);
    request.word_count = header->n_descsz / WORD_BYTES;
    memcpy(request.words, words,
           header->n_descsz < sizeof(request.words) ? header->n_descsz : sizeof(request.words));
    if (!kernel->requests)
        kernel->requests = calloc(NOTE_MAXIMUM, sizeof(*kernel->requests));
    if (!kernel->requests)
        return error_out_of_memory(error);
    kernel->requests[kernel->request_count++] = request;
    return true;
}

/* The first such note counts. A length that is wrong is found out when the protocol is looked at.
 */
static void take_xen_note(struct kernel *kernel, const GElf_Nhdr *header, const uint8_t *words)
{
    struct kernel_pvh *pvh = &kernel->pvh;
    size_t bytes = header->n_descsz;

    *pvh = (struct kernel_pvh){.entry_bytes = bytes ? (uint32_t)bytes : UINT32_MAX};
    memcpy(&pvh->entry_paddr, words, bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t));
}

static bool is_named(const GElf_Nhdr *header, const char *found, const char *name, size_t bytes)
{
    return header->n_namesz == bytes && memcmp(found, name, bytes) == 0;
}

/* A note that is wanted, or any other. */
static bool take_note(struct kernel *kernel, const struct place *place, struct wanted *wanted,
                      const GElf_Nhdr *header, const char *name, const uint8_t *words,
                      struct error *error)
{
    if (is_named(header, name, XEN_NAME, sizeof(XEN_NAME)) && header->n_type == XEN_ENTRY &&
        wanted->xen) {
        wanted->found++;
        if (kernel->pvh.entry_bytes == 0)
            take_xen_note(kernel, header, words);
        return true;
    }
    if (!wanted->requests)
        return true;
    if (almost_our_name(name, header->n_namesz))
        return error_set(error,
                         PLACE_FORMAT "holds a note named \"bootimage\" with a length of the "
                                      "name of %" PRIu32 "; make it %zu, and pad the name to "
                                      "12 bytes [note-name]",
                         PLACE_ARGUMENTS(kernel, place), header->n_namesz, NAME_BYTES);
    if (!is_named(header, name, BOOTINFO_NOTE_NAME, NAME_BYTES))
        return true;
    wanted->found++;
    return add_request(kernel, place, header, words, error);
}

/* Adds the requests of a place whose notes are padded to so many bytes, 4 or 8. *whole tells
   whether the notes fill the place, up to zeros at its end. */
static bool read_padded(struct kernel *kernel, const struct place *place, unsigned padding,
                        struct wanted *wanted, bool *whole, struct error *error)
{
    Elf_Data *data = elf_getdata_rawchunk(kernel->elf, (int64_t)place->offset, place->bytes,
                                          padding == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    size_t offset = 0;
    size_t next, name_offset, words_offset;
    GElf_Nhdr header;

    if (!data || !data->d_buf)
        return error_set(error, PLACE_FORMAT "cannot be read by libelf: %s [libelf]",
                         PLACE_ARGUMENTS(kernel, place), elf_errmsg(-1));
    const char *bytes = data->d_buf;
    while ((next = gelf_getnote(data, offset, &header, &name_offset, &words_offset)) > 0) {
        offset = next;
        if (!take_note(kernel, place, wanted, &header, bytes + name_offset,
                       (const uint8_t *)bytes + words_offset, error))
            return false;
    }
    while (offset < data->d_size && bytes[offset] == 0)
        offset++;
    *whole = offset >= data->d_size;
    return true;
}

/* Notes are padded to 4 bytes, or to 8 where the place says so [ELF "Note Section"]. But a linker
   script may put notes of both kinds into one segment, which then has the alignment of 8 while its
   notes follow each other at multiples of 4. Ours are the same either way, and no other bytes look
   like them: so the way that finds more of them is right. */
static bool read_notes(struct kernel *kernel, const struct place *place, struct wanted wanted,
                       struct error *error)
{
    const size_t before = kernel->request_count;
    const struct kernel_pvh pvh_before = kernel->pvh;
    size_t most = 0;
    unsigned best = 0;

    for (unsigned padding = place->align == 8 ? 8 : 4; padding >= 4; padding -= 4) {
        bool whole = false;

        wanted.found = 0;
        if (!read_padded(kernel, place, padding, &wanted, &whole, error))
            return false;
        if (whole && (best == 0 || wanted.found > most)) {
            best = padding;
            most = wanted.found;
        }
        kernel->request_count = before;
        kernel->pvh = pvh_before;
    }
    if (best == 0)
        return !wanted.requests ||
               error_set(error,
                         PLACE_FORMAT "holds a note that goes past its end; check the sizes in the "
                                      "note and the linker script [note-truncated]",
                         PLACE_ARGUMENTS(kernel, place));
    return read_padded(kernel, place, best, &wanted, &(bool){false}, error);
}

static bool read_place(struct kernel *kernel, const struct place *place, struct wanted wanted,
                       struct error *error)
{
    uint64_t file_bytes = kernel->file.bytes;

    if (place->bytes == 0)
        return true;
    /* Sections are not needed to boot: where only a note of others is looked for, they may be
     * broken. */
    const bool is_vital = wanted.requests;
    if (place->offset > file_bytes || place->bytes > file_bytes - place->offset)
        return !is_vital ||
               error_set(error,
                         PLACE_FORMAT "is 0x%" PRIx64 " bytes at offset 0x%" PRIx64
                                      ", past the file's end at 0x%" PRIx64
                                      "; build the kernel again [elf-truncated]",
                         PLACE_ARGUMENTS(kernel, place), place->bytes, place->offset, file_bytes);
    return read_notes(kernel, place, wanted, error);
}

static bool read_segments(struct kernel *kernel, struct wanted wanted, struct error *error)
{
    GElf_Phdr header;
    size_t count = 0;

    elf_getphdrnum(kernel->elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(kernel->elf, (int)i, &header) || header.p_type != PT_NOTE)
            continue;
        struct place place = {"segment", i, header.p_offset, header.p_filesz, header.p_align};
        if (!read_place(kernel, &place, wanted, error))
            return false;
    }
    return true;
}

static bool read_sections(struct kernel *kernel, struct wanted wanted, struct error *error)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(kernel->elf, section)) != NULL) {
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
            continue;
        struct place place = {"section", elf_ndxscn(section), header.sh_offset, header.sh_size,
                              header.sh_addralign};
        if (!read_place(kernel, &place, wanted, error))
            return false;
    }
    return true;
}

bool note_read(struct kernel *kernel, struct error *error)
{
    struct wanted wanted = {.requests = true, .xen = true};

    if (!read_segments(kernel, wanted, error))
        return false;
    wanted.requests = kernel->request_count == 0;
    wanted.xen = kernel->pvh.entry_bytes == 0;
    return (!wanted.requests && !wanted.xen) || read_sections(kernel, wanted, error);
}
