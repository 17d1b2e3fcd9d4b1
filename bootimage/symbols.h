/*
 * Names of addresses, from the symbol table of an ELF file.
 */
#ifndef BOOTIMAGE_SYMBOLS_H
#define BOOTIMAGE_SYMBOLS_H

#include <stdint.h>

struct Elf;

/* The name of the symbol at vaddr, else of the function or label that it is inside of or next
   behind, whose distance goes to *offset. NULL if there is none. The name lives as long as elf. */
const char *symbols_find(struct Elf *elf, uint64_t vaddr, uint64_t *offset);

/* The name of the function or object whose bytes hold vaddr; else of the label before it in its
   section; of a table of dynamic symbols where the other does not have it. Otherwise the same. */
const char *symbols_holding(struct Elf *elf, uint64_t vaddr, uint64_t *offset);

#endif
