/*
 * Kinds of relocations that take more than the addition of the slide, in words.
 */
#ifndef BOOTIMAGE_RELOCATION_KIND_H
#define BOOTIMAGE_RELOCATION_KIND_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

#define RELOCATION_NAME_BYTES 256

/* What a relocation is against. */
struct relocation_symbol {
    uint32_t index; /* 0: no symbol */
    bool is_known;  /* could be read */
    bool undefined;
    bool is_weak;
    bool is_address; /* a value that moves with the kernel; false: absolute, or of a kind of its own
                      */
    bool is_absolute;
    uint64_t value;                   /* as linked */
    char name[RELOCATION_NAME_BYTES]; /* empty if it cannot be read; cut if it is long */
};

/* Says that the kernel at path cannot have a relocation of this kind, and what to do; vaddr is the
   place, as linked. Always false. */
bool relocation_kind_refuse(const char *path, uint32_t kind, uint64_t vaddr,
                            const struct relocation_symbol *symbol, struct error *error);

#endif
