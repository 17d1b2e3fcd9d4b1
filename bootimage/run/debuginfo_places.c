/*
 * From an address of code to functions, files and lines, by DWARF: find the unit that has the code,
 * the functions in it that hold the address, one inlined into the other, and the row of the line
 * table. What DWARF does not know is taken from the symbols.
 *
 * libdw checks that what it reads is there; that it makes sense nobody has checked. So each walk
 * ends after so many steps.
 */
#include "run/debuginfo_file.h"

#include <dwarf.h>
#include <limits.h>
#include <stdio.h>

#define MOST_DEPTH 64

struct walk {
    uint64_t vaddr;
    Dwarf_Die unit;
    Dwarf_Die functions[MOST_DEPTH]; /* that hold it, the outermost first */
    size_t count;
    unsigned int *steps; /* of all walks */
};

/* What has functions in it, but no address of its own. */
static bool is_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_enumeration_type;
}

/* Whether a function below parent holds the address. A unit is left at the first that does. */
static bool find_functions(struct walk *walk, Dwarf_Die *parent, unsigned int depth)
{
    Dwarf_Die child;

    if (depth == MOST_DEPTH || dwarf_child(parent, &child) != 0)
        return false;
    do {
        const int tag = dwarf_tag(&child);
        const bool is_function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;

        if (*walk->steps >= DEBUGINFO_STEPS_MOST)
            return false;
        ++*walk->steps;
        if (is_scope(tag) && find_functions(walk, &child, depth + 1))
            return true;
        if ((is_function || tag == DW_TAG_lexical_block) && dwarf_haspc(&child, walk->vaddr) > 0) {
            if (is_function)
                walk->functions[walk->count++] = child;
            return find_functions(walk, &child, depth + 1) || walk->count > 0;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* Lines have the unit's folder before their files, wherever that text ends. */
static bool has_sound_lines(struct debuginfo *debuginfo, Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;

    return !dwarf_attr(unit, DW_AT_comp_dir, &attribute) ||
           debuginfo_text(debuginfo, dwarf_formstring(&attribute));
}

/* The table of ranges is quicker, and right for NASM's units, which claim what lies between their
   sections, too; Clang and Rust make none. */
static bool find_unit(struct debuginfo *debuginfo, struct walk *walk)
{
    Dwarf_CU *unit = NULL;

    if (dwarf_addrdie(debuginfo->dwarf, walk->vaddr, &walk->unit))
        return has_sound_lines(debuginfo, &walk->unit);
    while (dwarf_get_units(debuginfo->dwarf, unit, &unit, NULL, NULL, &walk->unit, NULL) == 0) {
        if (dwarf_haspc(&walk->unit, walk->vaddr) > 0 && has_sound_lines(debuginfo, &walk->unit) &&
            (dwarf_getsrc_die(&walk->unit, walk->vaddr) || find_functions(walk, &walk->unit, 0))) {
            walk->count = 0;
            return true;
        }
    }
    return false;
}

/* A file's path is that in the folder where the compiler ran, unless it begins at the root. */
static const char *whole_path(struct debuginfo *debuginfo, struct walk *walk, const char *file)
{
    Dwarf_Attribute attribute;
    const char *folder = NULL;
    char *path;

    if (file && *file != '/' && dwarf_attr(&walk->unit, DW_AT_comp_dir, &attribute))
        folder = dwarf_formstring(&attribute);
    if (!folder || asprintf(&path, "%s/%s", folder, file) < 0)
        return file;
    return debuginfo_keep(debuginfo, path);
}

static void read_line(struct debuginfo *debuginfo, struct walk *walk, struct debuginfo_place *place)
{
    Dwarf_Line *line = dwarf_getsrc_die(&walk->unit, walk->vaddr);

    if (!line)
        return;
    place->file = whole_path(debuginfo, walk, dwarf_linesrc(line, NULL, NULL));
    if (dwarf_lineno(line, &place->line) != 0)
        place->line = 0;
    if (dwarf_linecol(line, &place->column) != 0)
        place->column = 0;
}

static int number_of(Dwarf_Die *entry, unsigned int name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number;

    return dwarf_attr(entry, name, &attribute) && dwarf_formudata(&attribute, &number) == 0 &&
                   number <= INT_MAX
               ? (int)number
               : 0;
}

/* Where the function is inlined, as a place in the next one. */
static void read_call(struct debuginfo *debuginfo, struct walk *walk, Dwarf_Die *inlined,
                      struct debuginfo_place *place)
{
    Dwarf_Files *files;
    size_t count;

    if (dwarf_hasattr(inlined, DW_AT_call_file) &&
        dwarf_getsrcfiles(&walk->unit, &files, &count) == 0)
        place->file = whole_path(
            debuginfo, walk,
            dwarf_filesrc(files, (size_t)number_of(inlined, DW_AT_call_file), NULL, NULL));
    place->line = number_of(inlined, DW_AT_call_line);
    place->column = number_of(inlined, DW_AT_call_column);
}

/* How far behind the outermost function's start. */
static uint64_t offset_in(struct walk *walk)
{
    Dwarf_Addr start;

    if (dwarf_entrypc(&walk->functions[0], &start) != 0 || start > walk->vaddr)
        return 0;
    return walk->vaddr - start;
}

static size_t dwarf_places(struct debuginfo *debuginfo, struct walk *walk,
                           struct debuginfo_place *places, size_t most)
{
    size_t count = 0;

    if (!debuginfo->dwarf || !find_unit(debuginfo, walk))
        return 0;
    find_functions(walk, &walk->unit, 0);
    read_line(debuginfo, walk, &places[0]);
    while (count < walk->count && count < most) {
        Dwarf_Die *function = &walk->functions[walk->count - 1 - count];

        places[count].function = debuginfo_name(debuginfo, function);
        places[count].offset = offset_in(walk);
        places[count].is_inlined = dwarf_tag(function) == DW_TAG_inlined_subroutine;
        if (++count < walk->count && count < most)
            read_call(debuginfo, walk, function, &places[count]);
    }
    return count > 0 ? count : places[0].file != NULL;
}

size_t debuginfo_places(struct debuginfo *debuginfo, uint64_t vaddr, struct debuginfo_place *places,
                        size_t most)
{
    struct walk walk = {.vaddr = vaddr, .steps = &debuginfo->steps};
    uint64_t offset;

    if (most == 0 || !debuginfo_is_code(debuginfo, vaddr))
        return 0;
    for (size_t i = 0; i < most; i++)
        places[i] = (struct debuginfo_place){.function = NULL};
    const char *symbol = debuginfo_symbol(debuginfo, vaddr, &offset);
    size_t count = dwarf_places(debuginfo, &walk, places, most);
    if (!symbol)
        return count;
    count += count == 0;
    for (size_t i = 0; i < count; i++) {
        places[i].symbol = symbol;
        places[i].offset = offset;
    }
    /* Only the outermost has the symbol's name. */
    if (!places[count - 1].function && !places[count - 1].is_inlined)
        places[count - 1].function = debuginfo_readable(debuginfo, symbol);
    return count;
}
