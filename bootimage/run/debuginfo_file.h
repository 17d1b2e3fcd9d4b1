/*
 * What the files behind debuginfo.h share, and what unwind.h has of them besides: the open ELF
 * file.
 */
#ifndef BOOTIMAGE_RUN_DEBUGINFO_FILE_H
#define BOOTIMAGE_RUN_DEBUGINFO_FILE_H

#include "run/debuginfo.h"

#include <elfutils/libdw.h>
#include <gelf.h>

/* .eh_frame and .debug_frame. */
#define DEBUGINFO_FRAME_TABLES 2

/* Entries that are looked at, all in all: those of a sound file never lead round in a circle. */
#define DEBUGINFO_STEPS_MOST 64000000

struct debuginfo_text {
    struct debuginfo_text *next;
    char *text;
};

struct debuginfo {
    Elf *elf;                                  /* NULL: not an ELF file */
    Dwarf *dwarf;                              /* NULL: it has none */
    Dwarf_CFI *frames[DEBUGINFO_FRAME_TABLES]; /* NULL: it has no such table */
    struct debuginfo_text *texts;              /* that were made up, and are freed with it */
    unsigned int steps;                        /* of DEBUGINFO_STEPS_MOST */
};

/* Keeps a text that was allocated, and returns it; NULL without memory, or for NULL. */
const char *debuginfo_keep(struct debuginfo *debuginfo, char *text);

/* A text out of the DWARF, if it ends where its section ends: libdw does not see to that for all
   forms of texts. NULL for another, or for NULL. */
const char *debuginfo_text(struct debuginfo *debuginfo, const char *text);

/* How to leave the function at this address of code [DWARF5 §6.4 "Call Frame Information"]; free()
   it. NULL if there is nothing about it. */
Dwarf_Frame *debuginfo_frame(struct debuginfo *debuginfo, uint64_t vaddr);

/* The name of a function with the namespaces and types it is in; NULL if it has none. */
const char *debuginfo_name(struct debuginfo *debuginfo, Dwarf_Die *function);

/* A symbol as people write it; itself if it is not mangled. */
const char *debuginfo_readable(struct debuginfo *debuginfo, const char *symbol);

#endif
