/*
 * For the crash report, before it looks at the machine: opens the kernel's ELF file and tells what
 * its headers and symbols say. The DWARF is debuginfo_places.c's, the way from frame to frame
 * unwind.c's.
 *
 * It opens the file a second time, as libdw unpacks compressed sections in place, and others hand
 * those over as they lie in the file.
 */
#include "run/debuginfo_file.h"

#include "symbols.h"

#include <stdlib.h>
#include <string.h>

/* Some versions of libdw read on where the last text of a table has no end. */
static bool has_sound_texts(Elf *elf)
{
    size_t names;
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section))) {
        const char *name =
            gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
        const bool is_table =
            name && (strcmp(name, ".debug_str") == 0 || strcmp(name, ".debug_line_str") == 0);

        if (is_table && (header.sh_flags & SHF_COMPRESSED) && elf_compress(section, 0, 0) < 0)
            return false;
        const Elf_Data *data = is_table ? elf_rawdata(section, NULL) : NULL;
        if (data && data->d_buf && data->d_size > 0 &&
            ((const char *)data->d_buf)[data->d_size - 1] != 0)
            return false;
    }
    return true;
}

bool debuginfo_open(struct debuginfo **debuginfo, const struct kernel *kernel, struct error *error)
{
    struct debuginfo *opened = calloc(1, sizeof(*opened));

    *debuginfo = opened;
    if (!opened)
        return error_out_of_memory(error);
    if (kernel->class == 0)
        return true;
    opened->elf = elf_begin(kernel->fd, ELF_C_READ, NULL);
    if (!opened->elf)
        return true;
    if (has_sound_texts(opened->elf))
        opened->dwarf = dwarf_begin_elf(opened->elf, DWARF_C_READ, NULL);
    opened->frames[0] = dwarf_getcfi_elf(opened->elf);
    if (opened->dwarf)
        opened->frames[1] = dwarf_getcfi(opened->dwarf);
    return true;
}

void debuginfo_close(struct debuginfo *debuginfo)
{
    if (!debuginfo)
        return;
    for (struct debuginfo_text *text = debuginfo->texts, *next; text; text = next) {
        next = text->next;
        free(text->text);
        free(text);
    }
    if (debuginfo->frames[0])
        dwarf_cfi_end(debuginfo->frames[0]);
    dwarf_end(debuginfo->dwarf); /* with the frames of .debug_frame */
    elf_end(debuginfo->elf);
    free(debuginfo);
}

const char *debuginfo_keep(struct debuginfo *debuginfo, char *text)
{
    struct debuginfo_text *kept = text ? malloc(sizeof(*kept)) : NULL;

    if (!kept) {
        free(text);
        return NULL;
    }
    *kept = (struct debuginfo_text){debuginfo->texts, text};
    debuginfo->texts = kept;
    return text;
}

/* Whether the bytes have this text in them, with its end. */
static bool has_text(const Elf_Data *data, const char *text)
{
    const uintptr_t start = data ? (uintptr_t)data->d_buf : 0;
    const uintptr_t at = (uintptr_t)text;

    return start != 0 && at >= start && at - start < data->d_size &&
           memchr(text, 0, data->d_size - (at - start));
}

const char *debuginfo_text(struct debuginfo *debuginfo, const char *text)
{
    Elf_Scn *section = NULL;

    while (text && (section = elf_nextscn(debuginfo->elf, section))) {
        GElf_Shdr header;

        if (!gelf_getshdr(section, &header) || (header.sh_flags & SHF_ALLOC))
            continue;
        if (has_text(elf_getdata(section, NULL), text) ||
            has_text(elf_rawdata(section, NULL), text))
            return text;
    }
    return NULL;
}

static bool section_of(struct debuginfo *debuginfo, uint64_t vaddr, GElf_Shdr *header)
{
    Elf_Scn *section = NULL;

    while (debuginfo->elf && (section = elf_nextscn(debuginfo->elf, section))) {
        /* That of .tbss is none of this address space. */
        if (gelf_getshdr(section, header) && (header->sh_flags & SHF_ALLOC) &&
            !((header->sh_flags & SHF_TLS) && header->sh_type == SHT_NOBITS) &&
            vaddr >= header->sh_addr && vaddr - header->sh_addr < header->sh_size)
            return true;
    }
    return false;
}

/* By the section, as linkers put what is no code into segments of code; else by the segment. */
bool debuginfo_is_code(struct debuginfo *debuginfo, uint64_t vaddr)
{
    GElf_Shdr section;
    GElf_Phdr segment;
    size_t count = 0;

    if (section_of(debuginfo, vaddr, &section))
        return (section.sh_flags & SHF_EXECINSTR) != 0;
    if (!debuginfo->elf || elf_getphdrnum(debuginfo->elf, &count) != 0)
        return false;
    for (int i = 0; (size_t)i < count && gelf_getphdr(debuginfo->elf, i, &segment); i++) {
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) && vaddr >= segment.p_vaddr &&
            vaddr - segment.p_vaddr < segment.p_memsz)
            return true;
    }
    return false;
}

const char *debuginfo_symbol(struct debuginfo *debuginfo, uint64_t vaddr, uint64_t *offset)
{
    return debuginfo->elf ? symbols_holding(debuginfo->elf, vaddr, offset) : NULL;
}

const char *debuginfo_section(struct debuginfo *debuginfo, uint64_t vaddr)
{
    GElf_Shdr header;
    size_t names;

    if (!section_of(debuginfo, vaddr, &header) || elf_getshdrstrndx(debuginfo->elf, &names) != 0)
        return NULL;
    return elf_strptr(debuginfo->elf, names, header.sh_name);
}

Dwarf_Frame *debuginfo_frame(struct debuginfo *debuginfo, uint64_t vaddr)
{
    for (size_t i = 0; i < DEBUGINFO_FRAME_TABLES; i++) {
        Dwarf_Frame *frame;

        if (debuginfo->frames[i] && dwarf_cfi_addrframe(debuginfo->frames[i], vaddr, &frame) == 0)
            return frame;
    }
    return NULL;
}
