/*
 * A file that appears whole or not at all.
 *
 * What is written goes to a temporary file in the target's folder; atomic_file_commit() flushes it
 * and renames it to the target. Until then the target is as it was.
 */
#ifndef BOOTIMAGE_ATOMIC_FILE_H
#define BOOTIMAGE_ATOMIC_FILE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct atomic_file {
    int fd;          /* write here */
    char *target;    /* path with symbolic links followed */
    char *temporary; /* path */
};

/* A file that must not be overwritten: one the data comes from. */
struct atomic_file_source {
    dev_t device;
    ino_t inode;
    const char *what; /* for the message, such as "the kernel" */
};

/* On failure nothing is left to close. Refuses a target that is there but no regular file, or not
   writable, or one of the sources. One file at a time: signals that end the program remove it. */
bool atomic_file_open(struct atomic_file *file, const char *path,
                      const struct atomic_file_source *sources, size_t source_count,
                      struct error *error);

/* Ends the file either way: on failure the target is as it was and the temporary file is gone. */
bool atomic_file_commit(struct atomic_file *file, struct error *error);
void atomic_file_abandon(struct atomic_file *file);

#endif
