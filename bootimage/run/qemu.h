/*
 * QEMU's command line for run and test.
 */
#ifndef BOOTIMAGE_RUN_QEMU_H
#define BOOTIMAGE_RUN_QEMU_H

#include "options.h"
#include "ovmf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PROGRAM "qemu-system-x86_64"

/* Where the machine's lines lead: paths that QEMU opens. */
struct qemu_lines {
    const char *image;
    const char *serial;   /* a character device as -chardev has it, without its id */
    const char *debugcon; /* a file for what comes out of port 0xE9; NULL: none */
    const char *log;      /* a file for QEMU's log; NULL: none */
    const char *ram;      /* a file that is the guest's memory; NULL: QEMU's own */
    uint64_t ram_bytes;   /* of it */
    int qmp;              /* the socket for commands; -1: none, and the machine starts at once */
};

struct qemu_setup {
    const struct options *options;
    const struct ovmf *ovmf; /* NULL: a BIOS */
    const char *display;     /* -display; NULL: QEMU's own choice */
    bool with_kvm;
};

/* Words that end with a NULL. */
struct qemu_command {
    char **words;
    size_t count;
};

/* Whether the machine is of QEMU's type q35. */
bool qemu_is_q35(const struct qemu_setup *setup);

/* Bytes of memory that the machine is given; 0: the user says so in a way that only QEMU knows. */
uint64_t qemu_memory_bytes(const struct options *options);

/* Give back with qemu_free() in either case. False without memory only. */
bool qemu_command(struct qemu_command *command, const struct qemu_setup *setup,
                  const struct qemu_lines *lines);

/* The words as a shell takes them, in one line; NULL without memory. */
char *qemu_quote(char *const *words);

void qemu_free(struct qemu_command *command);

#endif
