/*
 * The notes in which a kernel says what it needs: bootinfo.h has their layout, request.c their
 * meaning.
 */
#ifndef BOOTIMAGE_NOTE_H
#define BOOTIMAGE_NOTE_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>

/* Notes that a kernel may have; bootinfo.h promises as many. */
#define NOTE_MAXIMUM 1024u

/* Fills kernel->requests by kernel->elf: from the segments of type PT_NOTE or, where these hold no
   note of ours, from the sections of type SHT_NOTE. */
bool note_read(struct kernel *kernel, struct error *error);

#endif
