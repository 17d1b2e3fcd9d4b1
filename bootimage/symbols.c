/*
 * Looks up a symbol for inspect, and for the crash report. The file may hold anything: libelf
 * checks the ranges of its tables, and whatever is not there is simply not found.
 */
#include "symbols.h"

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>

static bool is_code(const GElf_Sym *symbol)
{
    unsigned int type = GELF_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
           (type == STT_FUNC || type == STT_NOTYPE);
}

/* Of two symbols that are not behind vaddr, whether the first tells more: the nearer one, then one
   that other files know. */
static bool is_better(const GElf_Sym *symbol, const GElf_Sym *best)
{
    if (symbol->st_value != best->st_value)
        return symbol->st_value > best->st_value;
    return GELF_ST_BIND(symbol->st_info) == STB_GLOBAL && GELF_ST_BIND(best->st_info) != STB_GLOBAL;
}

static const char *find_in_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                                 uint64_t vaddr, uint64_t *offset)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    const char *best_name = NULL;
    GElf_Sym best = {0};
    GElf_Sym symbol;

    for (int i = 0; (size_t)i < count && gelf_getsym(data, i, &symbol); i++) {
        if (!is_code(&symbol) || symbol.st_value > vaddr)
            continue;
        if (best_name && !is_better(&symbol, &best))
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (!name || !*name)
            continue;
        best = symbol;
        best_name = name;
    }
    *offset = vaddr - best.st_value;
    return best_name;
}

const char *symbols_find(struct Elf *elf, uint64_t vaddr, uint64_t *offset)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            return find_in_table(elf, section, &header, vaddr, offset);
    }
    return NULL;
}

/* The section that an address is in, or 0. */
static size_t section_of(Elf *elf, uint64_t vaddr)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_ALLOC) &&
            !(header.sh_flags & SHF_TLS) && vaddr >= header.sh_addr &&
            vaddr - header.sh_addr < header.sh_size)
            return elf_ndxscn(section);
    }
    return 0;
}

/* Whether the symbol's bytes hold vaddr, or it has none and is before it in the same section. */
static bool holds(const GElf_Sym *symbol, uint64_t vaddr, size_t section)
{
    const unsigned int type = GELF_ST_TYPE(symbol->st_info);

    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || symbol->st_value > vaddr ||
        (type != STT_NOTYPE && type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC))
        return false;
    return symbol->st_size ? vaddr - symbol->st_value < symbol->st_size
                           : section != 0 && symbol->st_shndx == section;
}

/* Of two symbols that hold an address: one with bytes of its own, then as is_better(). */
static bool is_closer(const GElf_Sym *symbol, const GElf_Sym *best)
{
    if ((symbol->st_size != 0) != (best->st_size != 0))
        return symbol->st_size != 0;
    return is_better(symbol, best);
}

static const char *holding_in_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                                    uint64_t vaddr, uint64_t *offset)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    const size_t of_vaddr = section_of(elf, vaddr);
    const char *best_name = NULL;
    GElf_Sym best = {0};
    GElf_Sym symbol;

    for (int i = 0; (size_t)i < count && gelf_getsym(data, i, &symbol); i++) {
        if (!holds(&symbol, vaddr, of_vaddr) || (best_name && !is_closer(&symbol, &best)))
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (!name || !*name)
            continue;
        best = symbol;
        best_name = name;
    }
    *offset = vaddr - best.st_value;
    return best_name;
}

/* A file has one table of each kind at most [gABI "Sections"]: of more the first counts. */
static Elf_Scn *find_table(Elf *elf, unsigned int type, GElf_Shdr *header)
{
    Elf_Scn *section = NULL;

    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, header) && header->sh_type == type)
            break;
    }
    return section;
}

const char *symbols_holding(struct Elf *elf, uint64_t vaddr, uint64_t *offset)
{
    static const unsigned int types[] = {SHT_SYMTAB, SHT_DYNSYM};
    const char *name = NULL;
    GElf_Shdr header;

    for (size_t i = 0; !name && i < sizeof(types) / sizeof(types[0]); i++) {
        Elf_Scn *table = find_table(elf, types[i], &header);

        if (table)
            name = holding_in_table(elf, table, &header, vaddr, offset);
    }
    return name;
}
