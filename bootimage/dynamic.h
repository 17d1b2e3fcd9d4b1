/*
 * What PT_DYNAMIC says of relocations, as it says it: nothing of it has been checked.
 */
#ifndef BOOTIMAGE_DYNAMIC_H
#define BOOTIMAGE_DYNAMIC_H

#include "error.h"
#include "input.h"

#include <stdbool.h>
#include <stdint.h>

/* Addresses are those of the ELF file; what is not there is 0. */
struct dynamic_table {
    uint64_t vaddr;
    uint64_t bytes;
    uint64_t entry_bytes;
};

struct dynamic {
    struct dynamic_table rela;    /* DT_RELA */
    struct dynamic_table rel;     /* DT_REL */
    struct dynamic_table relr;    /* DT_RELR */
    struct dynamic_table jmprel;  /* DT_JMPREL */
    struct dynamic_table strings; /* DT_STRTAB */
    uint64_t symbols_vaddr;       /* DT_SYMTAB */
    uint64_t plt_form;            /* DT_PLTREL: the form of DT_JMPREL */
    uint64_t needed;              /* DT_NEEDED, the first: offset of a name in the strings */
    bool has_needed;
    uint64_t flags_1; /* DT_FLAGS_1 */
};

/* Reads the PT_DYNAMIC of a 64-bit ELF file. */
bool dynamic_read(struct dynamic *dynamic, struct input_piece segment, struct error *error);

#endif
