/*
 * What the files of machine.h share: the ends of QEMU's lines, and QMP on one of them.
 */
#ifndef BOOTIMAGE_RUN_MACHINE_LINES_H
#define BOOTIMAGE_RUN_MACHINE_LINES_H

#include "run/machine.h"

/* Closes a file descriptor that is not -1, and makes it that. */
void machine_close_end(int *fd);

/* machine_qmp.c: takes what has come on the socket, and closes it at its end. */
void machine_take_qmp(struct machine *machine);

/* QEMU's greeting and the answer to it. */
bool machine_greet(struct machine *machine);

/* A command without arguments, and without a value that counts. */
bool machine_run_command(struct machine *machine, const char *name);

#endif
