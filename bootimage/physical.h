/*
 * Kernels that are entered without paging: where they lie in physical memory.
 */
#ifndef BOOTIMAGE_PHYSICAL_H
#define BOOTIMAGE_PHYSICAL_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stdint.h>

/* Checks class, machine and type: 32-bit code may come in an ELF file of either class, and so may
   64-bit code, as its entry switches by itself. */
bool physical_check_file(const struct kernel *kernel, struct error *error);

/* From here on all that struct kernel holds are physical addresses, and segments do not move.
   entry: where it is entered, in memory of a segment; NULL for e_entry, which may be virtual as
   well. The kernel's notes ask for nothing any more. */
bool physical_place(struct kernel *kernel, const uint64_t *entry, struct error *error);

/* Another entry that a header asks for, physical: is it in memory of a segment? */
bool physical_check_entry(const struct kernel *kernel, uint64_t entry, struct error *error);

/* Address fields of a header, which take the place of the program headers: the file is loaded from
   file_offset on, to load_paddr, up to load_end (0: all of it); zeros follow up to bss_end (0:
   none). */
struct physical_fields {
    uint64_t file_offset;
    uint64_t load_paddr;
    uint64_t load_end;
    uint64_t bss_end;
};

bool physical_use_fields(struct kernel *kernel, const struct physical_fields *fields,
                         struct error *error);

#endif
