/*
 * QEMU, for `bootimage runner`: boots an image that has no name any more.
 */
#ifndef BOOTIMAGE_RUNNER_H
#define BOOTIMAGE_RUNNER_H

#include "error.h"

#include "ovmf.h"

#include <stdbool.h>

/* Where the machine's output appears. */
enum runner_display {
    RUNNER_WINDOW,  /* QEMU's window */
    RUNNER_CURSES,  /* the text screen, in the terminal */
    RUNNER_SERIAL,  /* no screen; the serial port on standard output */
    RUNNER_NOTHING, /* no screen, and the user's arguments say where the rest goes */
    RUNNER_USER,    /* the user's arguments say it all */
};

/* How to leave RUNNER_CURSES. */
#define RUNNER_CURSES_NOTICE                                                                       \
    "bootimage: QEMU takes this terminal now; to leave it, press Alt+2, type quit "                \
    "and press Enter\n"

/* Looks at the arguments for QEMU, the environment and standard output. For RUNNER_CURSES standard
   input is made the terminal; it cannot show the graphics of a UEFI machine. */
enum runner_display runner_choose_display(char *const arguments[], bool is_uefi);

/* What QEMU is started with. */
struct runner {
    int image;               /* the file */
    const struct ovmf *ovmf; /* NULL: a BIOS */
    int variables;           /* of OVMF: the file; -1: none of their own */
    enum runner_display display;
    char *const *arguments; /* the user's */
};

/* A copy of OVMF's variables for one run, as temporary_file(); -1 on failure. */
int runner_copy_variables(const struct ovmf *ovmf, struct error *error);

/* Becomes QEMU: returns on failure only. */
bool runner_exec(const struct runner *runner, struct error *error);

#endif
