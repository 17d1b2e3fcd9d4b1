/*
 * Beside all steps: reads the files that go into an image.
 *
 * kernel.c and module.c look at a file first and refuse what is no regular file; plan.c then comes
 * for the hashes and image.c for the bytes, piece by piece, so that no file has to fit into memory.
 */
#include "input.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct input input_of(const char *path, const struct stat *status)
{
    return (struct input){
        .path = path,
        .device = status->st_dev,
        .inode = status->st_ino,
        .bytes = (uint64_t)status->st_size,
        .modified = status->st_mtim,
        .fd = -1,
    };
}

bool input_changed(const struct input *file, struct error *error)
{
    return error_set(error,
                     "%s: changed while it was read; wait until nothing writes to it any more, and "
                     "run bootimage again [input-changed]",
                     file->path);
}

static bool cannot_read(const struct input *file, struct error *error)
{
    return error_set(error, "%s: cannot read: %s; copy it to a disk that works [input-read]",
                     file->path, strerror(errno));
}

bool input_unchanged(const struct input *file, int fd, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return cannot_read(file, error);
    if (status.st_dev != file->device || status.st_ino != file->inode ||
        (uint64_t)status.st_size != file->bytes || status.st_mtim.tv_sec != file->modified.tv_sec ||
        status.st_mtim.tv_nsec != file->modified.tv_nsec)
        return input_changed(file, error);
    return true;
}

bool input_read(const struct input *file, int fd, void *buffer, size_t bytes, uint64_t offset,
                struct error *error)
{
    uint8_t *next = buffer;

    while (bytes > 0) {
        ssize_t count = pread(fd, next, bytes, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return cannot_read(file, error);
        if (count == 0)
            return input_changed(file, error);
        next += count;
        offset += (uint64_t)count;
        bytes -= (size_t)count;
    }
    return true;
}

bool input_reader_open(struct input_reader *reader, struct error *error)
{
    *reader = (struct input_reader){.fd = -1, .buffer = malloc(INPUT_BUFFER_BYTES)};
    return reader->buffer || error_out_of_memory(error);
}

void input_reader_close(struct input_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->buffer);
    *reader = (struct input_reader){.fd = -1};
}

/* Not blocked by a FIFO that took the file's place. */
static bool switch_to(struct input_reader *reader, const struct input *file, struct error *error)
{
    if (reader->file == file)
        return true;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->file = NULL;
    reader->fd = file->fd >= 0 ? fcntl(file->fd, F_DUPFD_CLOEXEC, 0)
                               : open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->fd < 0 && errno == ENOENT)
        return input_changed(file, error);
    if (reader->fd < 0)
        return cannot_read(file, error);
    if (!input_unchanged(file, reader->fd, error))
        return false;
    reader->file = file;
    return true;
}

size_t input_next(struct input_reader *reader, struct input_piece *piece, struct error *error)
{
    size_t bytes = piece->bytes < INPUT_BUFFER_BYTES ? (size_t)piece->bytes : INPUT_BUFFER_BYTES;

    if (!switch_to(reader, piece->file, error) ||
        !input_read(piece->file, reader->fd, reader->buffer, bytes, piece->offset, error))
        return 0;
    piece->offset += bytes;
    piece->bytes -= bytes;
    return bytes;
}

bool input_skip_hole(struct input_reader *reader, struct input_piece *piece, struct error *error)
{
    uint64_t skipped = 0;

    if (!switch_to(reader, piece->file, error))
        return false;
    off_t data = lseek(reader->fd, (off_t)piece->offset, SEEK_DATA);
    if (data >= 0)
        skipped = (uint64_t)data - piece->offset;
    else if (errno == ENXIO) /* none is left; other errors mean that the file system cannot say */
        skipped = piece->bytes;
    if (skipped > piece->bytes)
        skipped = piece->bytes;
    piece->offset += skipped;
    piece->bytes -= skipped;
    return true;
}

bool input_hash(struct input_reader *reader, struct input_piece piece, uint64_t *xxh64,
                struct error *error)
{
    XXH64_state_t state;

    XXH64_reset(&state, 0);
    while (piece.bytes > 0) {
        size_t bytes = input_next(reader, &piece, error);

        if (bytes == 0)
            return false;
        XXH64_update(&state, reader->buffer, bytes);
    }
    *xxh64 = XXH64_digest(&state);
    return true;
}
