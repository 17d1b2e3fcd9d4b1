/*
 * QEMU, for `bootimage runner`: boots an image that has no name any more.
 */
#ifndef BOOTIMAGE_RUNNER_H
#define BOOTIMAGE_RUNNER_H

#include "error.h"

#include <stdbool.h>

/* Where the machine's output appears. */
enum runner_display {
    RUNNER_WINDOW,  /* QEMU's window */
    RUNNER_CURSES,  /* the text screen, in the terminal */
    RUNNER_SERIAL,  /* no screen; the serial port on standard output */
    RUNNER_NOTHING, /* no screen, and the user's arguments say where the rest goes */
    RUNNER_USER,    /* the user's arguments say it all */
};

/* Looks at the arguments for QEMU, the environment and standard output. For RUNNER_CURSES standard
   input is made the terminal. */
enum runner_display runner_choose_display(char *const arguments[]);

/* A file in TMPDIR or /tmp without a name, gone with its last user; -1 on failure. */
int runner_temporary_file(struct error *error);

/* Becomes QEMU: returns on failure only. fd is the image. */
bool runner_exec(int fd, enum runner_display display, char *const arguments[], struct error *error);

#endif
