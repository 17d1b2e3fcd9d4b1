/*
 * The files that go into an image: kernel and modules, from the first look at them to the last
 * byte.
 *
 * A file may be written to, cut or replaced while it is read. So files are read, never mapped: a
 * mapping of a file that becomes shorter ends the program. And what was looked at once is compared
 * at each later opening, and its bytes with their hash when they are written.
 */
#ifndef BOOTIMAGE_INPUT_H
#define BOOTIMAGE_INPUT_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* A regular file as it was at the first look. */
struct input {
    const char *path; /* as the user gave it, for messages; not owned */
    dev_t device;     /* device and inode: the file itself, whatever its names */
    ino_t inode;
    uint64_t bytes;
    struct timespec modified;
    int fd; /* where its content is if not behind the path; else -1 */
};

/* Some bytes of a file. */
struct input_piece {
    const struct input *file;
    uint64_t offset;
    uint64_t bytes;
};

/* Reads one file after another and keeps the last one open. */
struct input_reader {
    const struct input *file; /* the open one */
    int fd;
    uint8_t *buffer;
};

#define INPUT_BUFFER_BYTES ((size_t)256 << 10)

/* What stat() says of a regular file at path becomes a struct input, whose content is behind the
 * path.
 */
struct input input_of(const char *path, const struct stat *status);

/* Whether the file behind fd is still what it was at the first look; says so if not. */
bool input_unchanged(const struct input *file, int fd, struct error *error);

/* Reads just these bytes, or fails. */
bool input_read(const struct input *file, int fd, void *buffer, size_t bytes, uint64_t offset,
                struct error *error);

bool input_reader_open(struct input_reader *reader, struct error *error);
void input_reader_close(struct input_reader *reader);

/* Reads the first bytes of the piece into reader->buffer, as many as it takes, and takes them from
   the piece. Returns how many they are, 0 on failure. */
size_t input_next(struct input_reader *reader, struct input_piece *piece, struct error *error);

/* Takes what the file system knows to be zeros from the start of the piece; perhaps all of it. */
bool input_skip_hole(struct input_reader *reader, struct input_piece *piece, struct error *error);

/* XXH64, seed 0, of the bytes. */
bool input_hash(struct input_reader *reader, struct input_piece piece, uint64_t *xxh64,
                struct error *error);

/* The file is not what it was; always false. */
bool input_changed(const struct input *file, struct error *error);

#endif
