/*
 * Second step, continued: the relocations of a position-independent kernel.
 *
 * The loader only ever adds the slide: R_X86_64_RELATIVE and RELR [ELF gABI "Relative Relocation
 * Table"]. Those by a symbol of the kernel's own become patches, whose values are known here. That
 * all is of these kinds, and patches the kernel's own memory, is found out here, entry by entry; no
 * address, size or index is believed. The tables stay where the linker put them, in the loaded
 * segments, and plan.c tells the loader where. dynamic.c reads the table of tables.
 */
#include "relocation.h"

#include "loaded.h"
#include "relocation_kind.h"

#include "bootimage/image.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PATCH_BYTES 8u
/* A bitmap of RELR tells of this many words. */
#define BITMAP_WORDS 63u

/* A table among the file bytes of a segment. Addresses without `file` are as mapped, and so are
   those of entries once the slide is added. */
struct table {
    const char *name; /* for messages */
    uint64_t vaddr;
    uint64_t bytes;
    uint64_t entry_bytes;
    uint32_t form; /* enum plan_relocations_form */
    uint64_t file_offset;
};

#define MAXIMUM_TABLES 3

struct reading {
    struct kernel *kernel;
    struct table tables[MAXIMUM_TABLES];
    size_t table_count;
    struct input_reader reader;
    const struct kernel_segment *latest; /* patched last: the next one is likely there, too */
    /* Patches of code, and the first of them, as linked. */
    size_t text_count;
    uint64_t text_vaddr;
    struct error *error;
};

static bool is_inside(uint64_t start, uint64_t bytes, uint64_t outer, uint64_t outer_bytes)
{
    return start - outer <= outer_bytes && bytes <= outer_bytes - (start - outer);
}

static bool add_table(struct reading *reading, const char *name,
                      const struct dynamic_table *dynamic, uint64_t entry_bytes, uint32_t form)
{
    const struct kernel *kernel = reading->kernel;
    struct table table = {
        .name = name,
        .vaddr = dynamic->vaddr + kernel->slide,
        .bytes = dynamic->bytes,
        .entry_bytes = entry_bytes,
        .form = form,
    };

    if (dynamic->bytes == 0)
        return true;
    if ((dynamic->entry_bytes != 0 && dynamic->entry_bytes != entry_bytes) ||
        dynamic->bytes % entry_bytes != 0)
        return error_set(reading->error,
                         "%s: the relocations of %s take 0x%" PRIx64 " bytes in entries of %" PRIu64
                         ", where entries of %" PRIu64 " are expected; build the kernel again "
                         "[relocation-size]",
                         kernel->path, name, dynamic->bytes, dynamic->entry_bytes, entry_bytes);
    if (!loaded_offset(kernel, table.vaddr, table.bytes, &table.file_offset))
        return error_set(reading->error,
                         "%s: the relocations of %s, 0x%" PRIx64 " bytes at 0x%" PRIx64
                         ", are not loaded; keep their section in a PT_LOAD in the linker script "
                         "[relocation-not-loaded]",
                         kernel->path, name, dynamic->bytes, dynamic->vaddr);
    reading->tables[reading->table_count++] = table;
    return true;
}

static bool find_tables(struct reading *reading)
{
    const struct dynamic *dynamic = &reading->kernel->dynamic;

    if (dynamic->rel.bytes > 0 || (dynamic->jmprel.bytes > 0 && dynamic->plt_form == DT_REL))
        return error_set(reading->error,
                         "%s: has relocations without addends (DT_REL), which x86-64 does not use; "
                         "link the kernel with -z rela [relocation-rel]",
                         reading->kernel->path);
    return add_table(reading, "DT_RELA", &dynamic->rela, sizeof(Elf64_Rela),
                     PLAN_RELOCATIONS_RELA) &&
           add_table(reading, "DT_JMPREL", &dynamic->jmprel, sizeof(Elf64_Rela),
                     PLAN_RELOCATIONS_RELA) &&
           add_table(reading, "DT_RELR", &dynamic->relr, sizeof(Elf64_Relr), PLAN_RELOCATIONS_RELR);
}

/* Notes that 8 bytes are patched at this address, as linked, if they may be. */
static bool check_patch(struct reading *reading, uint64_t file_vaddr)
{
    const struct kernel *kernel = reading->kernel;
    const struct kernel_segment *segment = reading->latest;
    uint64_t vaddr = file_vaddr + kernel->slide;

    if (!segment || !is_inside(vaddr, PATCH_BYTES, segment->vaddr, segment->memory_bytes))
        segment = loaded_segment(kernel, vaddr, PATCH_BYTES);
    if (!segment)
        return error_set(reading->error,
                         "%s: a relocation patches 8 bytes at 0x%" PRIx64
                         ", which lie in no segment; build the kernel again [relocation-place]",
                         kernel->path, file_vaddr);
    for (size_t i = 0; i < reading->table_count; i++) {
        const struct table *table = &reading->tables[i];

        if (vaddr < table->vaddr + table->bytes && vaddr + PATCH_BYTES > table->vaddr)
            return error_set(reading->error,
                             "%s: a relocation patches 8 bytes at 0x%" PRIx64
                             ", among the relocations of %s themselves; build the kernel again "
                             "[relocation-overlap]",
                             kernel->path, file_vaddr, table->name);
    }
    if (segment->executable && !segment->writable && reading->text_count++ == 0)
        reading->text_vaddr = file_vaddr;
    reading->latest = segment;
    return true;
}

/* Appends entries to what the loader applies, to the last run where they continue it. */
static bool add_run(struct reading *reading, uint64_t vaddr, uint64_t bytes, uint32_t form)
{
    struct kernel *kernel = reading->kernel;
    size_t count = kernel->relocation_count;
    struct kernel_relocations *last = count ? &kernel->relocations[count - 1] : NULL;

    if (last && last->form == form && last->vaddr + last->bytes == vaddr) {
        last->bytes += bytes;
        return true;
    }
    /* Room for a power of two of runs, and so a new one just after each. */
    if ((count & (count - 1)) == 0) {
        struct kernel_relocations *more =
            reallocarray(kernel->relocations, count ? 2 * count : 1, sizeof(*more));

        if (!more)
            return error_out_of_memory(reading->error);
        kernel->relocations = more;
    }
    kernel->relocations[kernel->relocation_count++] =
        (struct kernel_relocations){.vaddr = vaddr, .bytes = bytes, .form = form};
    return true;
}

/* A text of the string table, cut to the room; "" if there is none. */
static void read_name(struct reading *reading, uint64_t index, char *name, size_t room)
{
    const struct kernel *kernel = reading->kernel;
    const struct dynamic *dynamic = &reading->kernel->dynamic;
    uint64_t rest = index < dynamic->strings.bytes ? dynamic->strings.bytes - index : 0;
    size_t bytes = rest < room - 1 ? (size_t)rest : room - 1;
    struct error ignored = {0};
    uint64_t offset;

    memset(name, 0, room);
    if (bytes > 0 &&
        (!loaded_offset(kernel, dynamic->strings.vaddr + kernel->slide + index, bytes, &offset) ||
         !input_read(&kernel->file, kernel->fd, name, bytes, offset, &ignored)))
        *name = 0;
    error_free(&ignored);
}

static void read_symbol(struct reading *reading, uint32_t index, struct relocation_symbol *symbol)
{
    const struct kernel *kernel = reading->kernel;
    struct error ignored = {0};
    Elf64_Sym entry;
    uint64_t offset;
    uint64_t vaddr =
        reading->kernel->dynamic.symbols_vaddr + kernel->slide + (uint64_t)index * sizeof(entry);

    *symbol = (struct relocation_symbol){.index = index};
    if (index > 0 && loaded_offset(kernel, vaddr, sizeof(entry), &offset) &&
        input_read(&kernel->file, kernel->fd, &entry, sizeof(entry), offset, &ignored)) {
        const unsigned char type = ELF64_ST_TYPE(entry.st_info);

        symbol->is_known = true;
        symbol->value = entry.st_value;
        symbol->undefined = entry.st_shndx == SHN_UNDEF;
        symbol->is_weak = ELF64_ST_BIND(entry.st_info) == STB_WEAK;
        symbol->is_absolute = entry.st_shndx == SHN_ABS;
        symbol->is_address = type != STT_TLS && type != STT_GNU_IFUNC;
        read_name(reading, entry.st_name, symbol->name, sizeof(symbol->name));
    }
    error_free(&ignored);
}

static bool refuse_kind(struct reading *reading, const Elf64_Rela *entry)
{
    struct relocation_symbol symbol;

    read_symbol(reading, (uint32_t)ELF64_R_SYM(entry->r_info), &symbol);
    return relocation_kind_refuse(reading->kernel->path, (uint32_t)ELF64_R_TYPE(entry->r_info),
                                  entry->r_offset, &symbol, reading->error);
}

/* Room for a power of two of patches, as add_run(). */
static bool add_patch(struct reading *reading, const struct kernel_patch *patch)
{
    struct kernel *kernel = reading->kernel;
    size_t count = kernel->patch_count;

    if ((count & (count - 1)) == 0) {
        struct kernel_patch *more =
            reallocarray(kernel->patches, count ? 2 * count : 1, sizeof(*more));

        if (!more)
            return error_out_of_memory(reading->error);
        kernel->patches = more;
    }
    kernel->patches[kernel->patch_count++] = *patch;
    return true;
}

/* The value of a symbol, and of R_X86_64_64 with the addend [AMD64 psABI §4.4.1 "Relocation
   Types"]. One that nobody has defined is 0 if it is weak. */
static bool resolve(struct reading *reading, const Elf64_Rela *entry)
{
    struct relocation_symbol symbol;
    struct kernel_patch patch = {.vaddr = entry->r_offset};

    read_symbol(reading, (uint32_t)ELF64_R_SYM(entry->r_info), &symbol);
    if (!symbol.is_known || !symbol.is_address || (symbol.undefined && !symbol.is_weak))
        return refuse_kind(reading, entry);
    patch.is_absolute = symbol.undefined || symbol.is_absolute;
    patch.value = symbol.undefined ? 0 : symbol.value;
    if (ELF64_R_TYPE(entry->r_info) == R_X86_64_64)
        patch.value += (uint64_t)entry->r_addend;
    return check_patch(reading, entry->r_offset) && add_patch(reading, &patch);
}

/* R_X86_64_NONE is room that the linker did not need in the end: left out of the runs. */
static bool check_rela(struct reading *reading, const struct table *table, uint64_t offset,
                       const uint8_t *bytes)
{
    Elf64_Rela entry;

    memcpy(&entry, bytes, sizeof(entry));
    switch (ELF64_R_TYPE(entry.r_info)) {
    case R_X86_64_NONE:
        return true;
    case R_X86_64_RELATIVE:
        return check_patch(reading, entry.r_offset) &&
               add_run(reading, table->vaddr + offset, sizeof(entry), table->form);
    case R_X86_64_64:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
        return resolve(reading, &entry);
    default:
        return refuse_kind(reading, &entry);
    }
}

/* An even word is the address of a word to patch; an odd one a bitmap of those that follow the last
   word told of [ELF gABI "Relative Relocation Table"]. */
static bool check_relr(struct reading *reading, const struct table *table, uint64_t offset,
                       const uint8_t *bytes, uint64_t *next)
{
    Elf64_Relr word;

    memcpy(&word, bytes, sizeof(word));
    if ((word & 1) == 0) {
        *next = word + PATCH_BYTES;
        return check_patch(reading, word) &&
               add_run(reading, table->vaddr + offset, sizeof(word), table->form);
    }
    if (offset == 0)
        return error_set(reading->error,
                         "%s: the relocations of DT_RELR begin with a bitmap, 0x%" PRIx64
                         ", and no address before it; build the kernel again [relocation-bitmap]",
                         reading->kernel->path, word);
    for (unsigned i = 0; i < BITMAP_WORDS; i++) {
        if ((word >> (i + 1) & 1) != 0 && !check_patch(reading, *next + i * PATCH_BYTES))
            return false;
    }
    *next += BITMAP_WORDS * PATCH_BYTES;
    return add_run(reading, table->vaddr + offset, sizeof(word), table->form);
}

static bool check_table(struct reading *reading, const struct table *table)
{
    uint64_t room = INPUT_BUFFER_BYTES / table->entry_bytes * table->entry_bytes;
    uint64_t next = 0;

    for (uint64_t offset = 0; offset < table->bytes;) {
        uint64_t rest = table->bytes - offset;
        struct input_piece piece = {&reading->kernel->file, table->file_offset + offset,
                                    rest < room ? rest : room};
        size_t bytes = input_next(&reading->reader, &piece, reading->error);

        if (bytes == 0)
            return false;
        for (size_t i = 0; i < bytes; i += table->entry_bytes) {
            const uint8_t *entry = reading->reader.buffer + i;

            if (table->form == PLAN_RELOCATIONS_RELR
                    ? !check_relr(reading, table, offset + i, entry, &next)
                    : !check_rela(reading, table, offset + i, entry))
                return false;
        }
        offset += bytes;
    }
    return true;
}

static void warn_text(const struct reading *reading)
{
    if (reading->text_count)
        error_warn(reading->error,
                   "%s: %zu relocation%s patch%s code, the first at 0x%" PRIx64
                   "; compile the kernel with -fPIE, all of it [text-relocation]",
                   reading->kernel->path, reading->text_count, reading->text_count > 1 ? "s" : "",
                   reading->text_count > 1 ? "" : "es", reading->text_vaddr);
}

static bool check_fixed(const struct kernel *kernel, struct error *error)
{
    if (kernel->position_independent || kernel->relocation_count + kernel->patch_count == 0)
        return true;
    return error_set(error,
                     "%s: has relocations (PT_DYNAMIC), though it is linked to fixed addresses; "
                     "link it with -static -no-pie, or with -static-pie [dynamic-linking]",
                     kernel->path);
}

static bool refuse_libraries(struct reading *reading)
{
    char name[RELOCATION_NAME_BYTES];

    if (!reading->kernel->dynamic.has_needed)
        return true;
    read_name(reading, reading->kernel->dynamic.needed, name, sizeof(name));
    return error_set(reading->error,
                     "%s: needs the shared library `%s' (DT_NEEDED), and there is none at boot; "
                     "link the kernel with -nostdlib -static [needed-library]",
                     reading->kernel->path, name);
}

bool relocation_read(struct kernel *kernel, struct error *error)
{
    struct reading reading = {.kernel = kernel, .error = error};
    bool done = false;

    free(kernel->relocations);
    kernel->relocations = NULL;
    kernel->relocation_count = 0;
    free(kernel->patches);
    kernel->patches = NULL;
    kernel->patch_count = 0;
    if (!kernel->has_dynamic_table)
        return true;
    if (input_reader_open(&reading.reader, error) && refuse_libraries(&reading) &&
        find_tables(&reading)) {
        done = true;
        for (size_t i = 0; done && i < reading.table_count; i++)
            done = check_table(&reading, &reading.tables[i]);
    }
    input_reader_close(&reading.reader);
    if (!done || !check_fixed(kernel, error))
        return false;
    warn_text(&reading);
    return true;
}
