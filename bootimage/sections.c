/*
 * Part of the second step: which sections a segment does not load, as those of symbols and of debug
 * information. plan.c has them loaded beside the kernel.
 */
#include "sections.h"

#include <gelf.h>
#include <stdlib.h>

/* Its address is where the loader puts it. */
static bool is_to_load(const GElf_Shdr *header)
{
    return header->sh_addr == 0 && header->sh_size > 0 && header->sh_type != SHT_NOBITS &&
           header->sh_type != SHT_NULL && !(header->sh_flags & SHF_ALLOC);
}

static bool is_inside(const struct kernel *kernel, uint64_t offset, uint64_t bytes)
{
    return offset <= kernel->file.bytes && bytes <= kernel->file.bytes - offset;
}

static bool read_headers(struct kernel_sections *sections, const struct kernel *kernel)
{
    GElf_Ehdr header;
    size_t count = 0, names = 0;

    if (!gelf_getehdr(kernel->elf, &header) || header.e_shoff == 0 ||
        header.e_shentsize != gelf_fsize(kernel->elf, ELF_T_SHDR, 1, EV_CURRENT) ||
        elf_getshdrnum(kernel->elf, &count) != 0 || count == 0 || count > UINT32_MAX ||
        elf_getshdrstrndx(kernel->elf, &names) != 0 ||
        !is_inside(kernel, header.e_shoff, count * header.e_shentsize))
        return false;
    sections->headers_offset = header.e_shoff;
    sections->header_bytes = header.e_shentsize;
    sections->header_count = (uint32_t)count;
    sections->names_index = (uint32_t)names;
    return true;
}

bool sections_read(struct kernel *kernel, struct error *error)
{
    struct kernel_sections *sections = &kernel->sections;
    GElf_Shdr header;
    Elf_Scn *section = NULL;

    if (!kernel->elf || !read_headers(sections, kernel))
        return true;
    sections->loaded = calloc(sections->header_count, sizeof(*sections->loaded));
    if (!sections->loaded)
        return error_out_of_memory(error);
    while ((section = elf_nextscn(kernel->elf, section)) != NULL) {
        if (!gelf_getshdr(section, &header) || !is_to_load(&header) ||
            !is_inside(kernel, header.sh_offset, header.sh_size))
            continue;
        sections->loaded[sections->loaded_count++] = (struct kernel_section){
            (uint32_t)elf_ndxscn(section), header.sh_offset, header.sh_size};
    }
    return true;
}
