/*
 * OVMF, the UEFI firmware of QEMU: which of this machine's files it is.
 */
#ifndef BOOTIMAGE_OVMF_H
#define BOOTIMAGE_OVMF_H

#include "error.h"

#include <stdbool.h>

/* Paths; for QEMU's flash memory. */
struct ovmf {
    char *code;
    char *variables; /* a template, to be copied; NULL: `code` holds them, too */
};

/* Fills ovmf with `file`, the code, and what belongs to it; for NULL, with what QEMU's firmware
   descriptors name for a q35 without Secure Boot, else with what lies at one of the usual places.
   Give back with ovmf_free() in either case. */
bool ovmf_find(struct ovmf *ovmf, const char *file, struct error *error);

void ovmf_free(struct ovmf *ovmf);

#endif
