/*
 * What a function is called, for people: its own name behind those of the namespaces, types and
 * modules it was declared in. A function that was inlined or is a method names its declaration.
 * Without DWARF, or where it has no name, a mangled symbol is taken apart by libiberty, which knows
 * C++ and both ways of Rust; where the build had none, it stays as it is.
 */
#include "run/debuginfo_file.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if BOOTIMAGE_HAS_IBERTY
#include <libiberty/demangle.h>
#endif

#define MOST_REFERENCES 16
#define MOST_DEPTH 64
/* libiberty bounds its recursion; its time grows faster than the name. */
#define MOST_MANGLED 4096

const char *debuginfo_readable(struct debuginfo *debuginfo, const char *symbol)
{
#if BOOTIMAGE_HAS_IBERTY
    if (strnlen(symbol, MOST_MANGLED) < MOST_MANGLED &&
        (strncmp(symbol, "_Z", 2) == 0 || strncmp(symbol, "_R", 2) == 0)) {
        const char *name = debuginfo_keep(debuginfo, cplus_demangle(symbol, DMGL_AUTO));

        return name ? name : symbol;
    }
#else
    (void)debuginfo;
#endif
    return symbol;
}

static void find_declaration(Dwarf_Die *function)
{
    Dwarf_Attribute attribute;

    for (int i = 0; i < MOST_REFERENCES; i++) {
        if (!dwarf_attr(function, DW_AT_abstract_origin, &attribute) &&
            !dwarf_attr(function, DW_AT_specification, &attribute))
            return;
        if (!dwarf_formref_die(&attribute, function))
            return;
    }
}

/* The child of parent that has the entry at this offset, or is it: entries lie one behind the
   other, each before its children. */
static bool child_towards(struct debuginfo *debuginfo, Dwarf_Die *parent, Dwarf_Off offset,
                          Dwarf_Die *child)
{
    Dwarf_Die next;

    if (dwarf_child(parent, child) != 0)
        return false;
    while (dwarf_siblingof(child, &next) == 0 && dwarf_dieoffset(&next) <= offset) {
        if (debuginfo->steps >= DEBUGINFO_STEPS_MOST)
            return false;
        debuginfo->steps++;
        *child = next;
    }
    return true;
}

static void print_scope(struct debuginfo *debuginfo, FILE *to, Dwarf_Die *scope)
{
    const int tag = dwarf_tag(scope);
    const char *name = debuginfo_text(debuginfo, dwarf_diename(scope));

    if (tag == DW_TAG_namespace && !name)
        name = "(anonymous namespace)";
    if (name && (tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
                 tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
                 tag == DW_TAG_enumeration_type))
        fprintf(to, "%s::", name);
}

static void print_scopes(struct debuginfo *debuginfo, FILE *to, Dwarf_Die *declaration)
{
    const Dwarf_Off offset = dwarf_dieoffset(declaration);
    unsigned int depth = 0;
    Dwarf_Die parent, child;

    if (!dwarf_diecu(declaration, &parent, NULL, NULL))
        return;
    while (depth++ < MOST_DEPTH && child_towards(debuginfo, &parent, offset, &child) &&
           dwarf_dieoffset(&child) < offset) {
        print_scope(debuginfo, to, &child);
        parent = child;
    }
}

static const char *linkage_name(Dwarf_Die *function)
{
    Dwarf_Attribute attribute;

    if (!dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute) &&
        !dwarf_attr_integrate(function, DW_AT_MIPS_linkage_name, &attribute))
        return NULL;
    return dwarf_formstring(&attribute);
}

const char *debuginfo_name(struct debuginfo *debuginfo, Dwarf_Die *function)
{
    Dwarf_Die declaration = *function;
    char *text = NULL;
    size_t bytes;

    find_declaration(&declaration);
    const char *name = debuginfo_text(debuginfo, dwarf_diename(&declaration));
    if (!name) {
        const char *symbol = debuginfo_text(debuginfo, linkage_name(function));

        return symbol ? debuginfo_readable(debuginfo, symbol) : NULL;
    }
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return NULL;
    print_scopes(debuginfo, to, &declaration);
    fputs(name, to);
    fclose(to);
    return debuginfo_keep(debuginfo, text);
}
