/*
 * Part of the first step: PT_DYNAMIC becomes a struct dynamic.
 *
 * Tags that have nothing to do with relocations are passed over: what a kernel does with its
 * .init_array or its symbols is its own business. relocation.c looks at what the tags lead to.
 */
#include "dynamic.h"

#include <elf.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Newer than some <elf.h>: [ELF gABI "Dynamic Section"], and what LLD writes for Android. */
#define TAG_RELRSZ 35
#define TAG_RELR 36
#define TAG_RELRENT 37
#define TAG_ANDROID_FIRST 0x6000000fu
#define TAG_ANDROID_LAST 0x60000012u
#define TAG_ANDROID_RELR 0x6fffe000u

static const struct {
    uint64_t tag;
    size_t field;
} tags[] = {
    {DT_RELA, offsetof(struct dynamic, rela.vaddr)},
    {DT_RELASZ, offsetof(struct dynamic, rela.bytes)},
    {DT_RELAENT, offsetof(struct dynamic, rela.entry_bytes)},
    {DT_REL, offsetof(struct dynamic, rel.vaddr)},
    {DT_RELSZ, offsetof(struct dynamic, rel.bytes)},
    {DT_RELENT, offsetof(struct dynamic, rel.entry_bytes)},
    {TAG_RELR, offsetof(struct dynamic, relr.vaddr)},
    {TAG_RELRSZ, offsetof(struct dynamic, relr.bytes)},
    {TAG_RELRENT, offsetof(struct dynamic, relr.entry_bytes)},
    {DT_JMPREL, offsetof(struct dynamic, jmprel.vaddr)},
    {DT_PLTRELSZ, offsetof(struct dynamic, jmprel.bytes)},
    {DT_PLTREL, offsetof(struct dynamic, plt_form)},
    {DT_STRTAB, offsetof(struct dynamic, strings.vaddr)},
    {DT_STRSZ, offsetof(struct dynamic, strings.bytes)},
    {DT_SYMTAB, offsetof(struct dynamic, symbols_vaddr)},
    {DT_FLAGS_1, offsetof(struct dynamic, flags_1)},
};

#define TAG_COUNT (sizeof(tags) / sizeof(tags[0]))

/* Packed in a way that is in no specification: passing over them would leave them out. */
static bool is_packed(uint64_t tag)
{
    return (tag >= TAG_ANDROID_FIRST && tag <= TAG_ANDROID_LAST) || tag == TAG_ANDROID_RELR;
}

/* *seen is a set of rows of the table. */
static bool take_entry(struct dynamic *dynamic, const Elf64_Dyn *entry, uint32_t *seen,
                       const char *path, struct error *error)
{
    uint64_t tag = (uint64_t)entry->d_tag;

    if (tag == DT_NEEDED && !dynamic->has_needed) {
        dynamic->has_needed = true;
        dynamic->needed = entry->d_un.d_val;
    }
    if (is_packed(tag))
        return error_set(error,
                         "%s: has relocations packed for Android (tag 0x%" PRIx64
                         "); link the kernel with --pack-dyn-relocs=relr or none "
                         "[relocation-packed]",
                         path, tag);
    for (size_t i = 0; i < TAG_COUNT; i++) {
        if (tags[i].tag != tag)
            continue;
        if (*seen & 1u << i)
            return error_set(error,
                             "%s: PT_DYNAMIC has the tag %" PRIu64 " twice; build the kernel again "
                             "[dynamic-twice]",
                             path, tag);
        *seen |= 1u << i;
        memcpy((uint8_t *)dynamic + tags[i].field, &entry->d_un.d_val, sizeof(uint64_t));
    }
    return true;
}

/* Takes what is in the buffer. *more becomes false at DT_NULL. */
static bool take_entries(struct dynamic *dynamic, const uint8_t *buffer, size_t bytes,
                         uint32_t *seen, bool *more, const char *path, struct error *error)
{
    for (size_t i = 0; i < bytes; i += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;

        memcpy(&entry, buffer + i, sizeof(entry));
        *more = entry.d_tag != DT_NULL;
        if (!*more)
            return true;
        if (!take_entry(dynamic, &entry, seen, path, error))
            return false;
    }
    return true;
}

/* A table without DT_NULL ends with its segment. */
bool dynamic_read(struct dynamic *dynamic, struct input_piece segment, struct error *error)
{
    struct input_reader reader;
    uint32_t seen = 0;
    bool more = true;
    bool done = input_reader_open(&reader, error);

    *dynamic = (struct dynamic){0};
    segment.bytes -= segment.bytes % sizeof(Elf64_Dyn);
    while (done && more && segment.bytes > 0) {
        size_t bytes = input_next(&reader, &segment, error);

        done = bytes > 0 &&
               take_entries(dynamic, reader.buffer, bytes, &seen, &more, segment.file->path, error);
    }
    input_reader_close(&reader);
    return done;
}
