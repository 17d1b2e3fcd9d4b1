/*
 * The notes in which a kernel says what it needs: bootinfo.h has their layout, request.c their
 * meaning. And the one that says where a guest of Xen is entered.
 */
#ifndef BOOTIMAGE_NOTE_H
#define BOOTIMAGE_NOTE_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>

/* Notes that a kernel may have; bootinfo.h promises as many. */
#define NOTE_MAXIMUM 1024u

/* Fills kernel->requests and kernel->pvh by kernel->elf: each from the segments of type PT_NOTE or,
   where these hold no such note, from the sections of type SHT_NOTE. */
bool note_read(struct kernel *kernel, struct error *error);

#endif
