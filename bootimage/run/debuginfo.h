/*
 * Names, files and lines for addresses of a kernel, from its ELF file: by the symbols, and by DWARF
 * [DWARF5] where the file has it.
 *
 * Addresses are those of the file: who asks for one of a running kernel takes its slide off before.
 * A file that is stripped, damaged or no ELF file answers less, or nothing; it is never an error.
 * What is returned lives until debuginfo_close(), and is as the file has it: escape it on its way
 * to a terminal.
 */
#ifndef BOOTIMAGE_RUN_DEBUGINFO_H
#define BOOTIMAGE_RUN_DEBUGINFO_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debuginfo;

/* One function that an address of code belongs to: where code was inlined there are several. */
struct debuginfo_place {
    const char *function; /* for people: kernel::paging::map_page; NULL: unknown */
    const char *symbol;   /* that holds the address, the same for each place; NULL: none */
    uint64_t offset;      /* of the address in the symbol, else in the outermost function */
    const char *file;     /* NULL: unknown */
    int line, column;     /* 0: unknown */
    bool is_inlined;      /* into the next place, which was left at its file and line */
};

/* kernel may be of any kind, and must not be closed before. Fails without memory only. */
bool debuginfo_open(struct debuginfo **debuginfo, const struct kernel *kernel, struct error *error);

void debuginfo_close(struct debuginfo *debuginfo);

/* Whether the file has code for this address. */
bool debuginfo_is_code(struct debuginfo *debuginfo, uint64_t vaddr);

/* The places of an address of code, the innermost first; returns how many. There is one at least if
   its symbol, its function or its line is known. Of more than `most` the outermost are left out. */
size_t debuginfo_places(struct debuginfo *debuginfo, uint64_t vaddr, struct debuginfo_place *places,
                        size_t most);

/* The symbol of the function or object that holds an address, else of the label before it in its
   section; NULL if there is none. */
const char *debuginfo_symbol(struct debuginfo *debuginfo, uint64_t vaddr, uint64_t *offset);

/* The section that holds an address; NULL if there is none. */
const char *debuginfo_section(struct debuginfo *debuginfo, uint64_t vaddr);

#endif
