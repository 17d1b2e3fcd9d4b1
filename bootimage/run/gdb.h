/*
 * A debugger for the machine: what gdb has to know, in a script.
 */
#ifndef BOOTIMAGE_RUN_GDB_H
#define BOOTIMAGE_RUN_GDB_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

struct gdb_target {
    const char *symbols; /* the kernel's file; NULL: not known */
    uint64_t slide;      /* addresses of the machine are so far above those of the file */
    uint64_t entry_vaddr;
    bool is_64_bit; /* at its entry */
    uint16_t port;
};

/* Writes a script that connects to QEMU, loads the symbols at the addresses that they have in the
   machine, and stops at the kernel's entry. The caller frees its path; NULL after an error. */
char *gdb_write(const struct gdb_target *target, struct error *error);

/* Removes the script, and frees its path. Does nothing for NULL. */
void gdb_remove(char *path);

#endif
