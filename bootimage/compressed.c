/*
 * Before the first step: a kernel file that is compressed is unpacked to a temporary file, which
 * takes its place. Which library does that shows in the file's first bytes.
 */
#include "compressed.h"

#include "temporary.h"

#include <lz4.h>
#include <lz4frame.h>
#include <zlib.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 << 10)
/* No segment of a kernel that takes more can be loaded below 4 GiB. */
#define MOST_BYTES (UINT64_C(4) << 30)

/* [RFC 1952 §2.3.1 "Member header and trailer"] */
static const uint8_t gzip_magic[] = {0x1f, 0x8b};
/* [LZ4 "LZ4 Frame Format"], and the older one, which Linux uses: magic, then blocks of up to 8 MiB,
   each behind its length. */
static const uint8_t lz4_magic[] = {0x04, 0x22, 0x4d, 0x18};
static const uint8_t lz4_legacy_magic[] = {0x02, 0x21, 0x4c, 0x18};
#define LEGACY_BLOCK_BYTES (8 << 20)

/* From the compressed file to the other. */
struct unpacking {
    const char *path;
    int from, to;
    uint64_t bytes; /* that were written */
    struct error *error;
};

static bool is_damaged(const struct unpacking *unpacking, const char *what)
{
    return error_set(unpacking->error,
                     "%s: cannot be decompressed: %s; build or download it again "
                     "[compressed-damaged]",
                     unpacking->path, what);
}

static bool put(struct unpacking *unpacking, const void *data, size_t bytes)
{
    const uint8_t *next = data;

    unpacking->bytes += bytes;
    if (unpacking->bytes > MOST_BYTES)
        return error_set(unpacking->error,
                         "%s: takes more than 4 GiB when decompressed; no kernel is as large "
                         "[compressed-too-large]",
                         unpacking->path);
    while (bytes > 0) {
        ssize_t count = write(unpacking->to, next, bytes);

        if (count <= 0)
            return error_set(
                unpacking->error,
                "%s: cannot write what it decompresses to: %s; make room in TMPDIR, or "
                "name another folder with it [compressed-write]",
                unpacking->path, strerror(errno));
        next += count;
        bytes -= (size_t)count;
    }
    return true;
}

static bool unpack_gzip(struct unpacking *unpacking)
{
    static uint8_t buffer[BUFFER_BYTES];
    gzFile file = gzdopen(dup(unpacking->from), "rb");
    bool done = file != NULL;
    int count = 1, number = Z_OK;

    while (done && count > 0) {
        count = gzread(file, buffer, sizeof(buffer));
        done = count >= 0 && put(unpacking, buffer, (size_t)count);
    }
    if (file) {
        const char *what = gzerror(file, &number), *colon = strstr(what, ": ");

        if (number != Z_OK) /* zlib puts a name before it that the file does not have */
            done = is_damaged(unpacking, number == Z_BUF_ERROR ? "it ends too early"
                                         : colon               ? colon + 2
                                                               : what);
        gzclose(file);
    }
    return done || error_out_of_memory(unpacking->error);
}

static bool unpack_frame(struct unpacking *unpacking, LZ4F_dctx *context)
{
    static uint8_t in[BUFFER_BYTES], out[BUFFER_BYTES];
    size_t hint = 1; /* 0 at the end of a frame */
    ssize_t count;

    while ((count = read(unpacking->from, in, sizeof(in))) > 0) {
        for (size_t at = 0; at < (size_t)count;) {
            size_t in_bytes = (size_t)count - at, out_bytes = sizeof(out);

            hint = LZ4F_decompress(context, out, &out_bytes, in + at, &in_bytes, NULL);
            if (LZ4F_isError(hint))
                return is_damaged(unpacking, LZ4F_getErrorName(hint));
            if (!put(unpacking, out, out_bytes))
                return false;
            at += in_bytes;
        }
    }
    return hint == 0 || is_damaged(unpacking, "it ends too early");
}

static bool unpack_lz4(struct unpacking *unpacking)
{
    LZ4F_dctx *context;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return error_out_of_memory(unpacking->error);
    bool done = unpack_frame(unpacking, context);
    LZ4F_freeDecompressionContext(context);
    return done;
}

static bool read_whole(int fd, void *buffer, size_t bytes)
{
    uint8_t *next = buffer;
    ssize_t count;

    while (bytes > 0 && (count = read(fd, next, bytes)) > 0) {
        next += count;
        bytes -= (size_t)count;
    }
    return bytes == 0;
}

/* Linux appends the unpacked size, which stands where a block's length would. */
static bool unpack_blocks(struct unpacking *unpacking, char *in, char *out)
{
    uint32_t bytes;

    lseek(unpacking->from, sizeof(lz4_legacy_magic), SEEK_SET);
    while (read_whole(unpacking->from, &bytes, sizeof(bytes))) {
        if (bytes > (uint32_t)LZ4_compressBound(LEGACY_BLOCK_BYTES) ||
            !read_whole(unpacking->from, in, bytes))
            return bytes == (uint32_t)unpacking->bytes ||
                   is_damaged(unpacking, "it ends too early");
        int count = LZ4_decompress_safe(in, out, (int)bytes, LEGACY_BLOCK_BYTES);
        if (count < 0)
            return is_damaged(unpacking, "a block is damaged");
        if (!put(unpacking, out, (size_t)count))
            return false;
    }
    return unpacking->bytes > 0 || is_damaged(unpacking, "it ends too early");
}

static bool unpack_legacy_lz4(struct unpacking *unpacking)
{
    char *in = malloc((size_t)LZ4_compressBound(LEGACY_BLOCK_BYTES));
    char *out = malloc(LEGACY_BLOCK_BYTES);
    bool done =
        in && out ? unpack_blocks(unpacking, in, out) : error_out_of_memory(unpacking->error);

    free(in);
    free(out);
    return done;
}

static const struct format {
    const uint8_t *magic;
    size_t magic_bytes;
    bool (*unpack)(struct unpacking *unpacking);
} formats[] = {
    {gzip_magic, sizeof(gzip_magic), unpack_gzip},
    {lz4_magic, sizeof(lz4_magic), unpack_lz4},
    {lz4_legacy_magic, sizeof(lz4_legacy_magic), unpack_legacy_lz4},
};

static const struct format *format_of(int fd)
{
    uint8_t start[4] = {0};
    ssize_t count = pread(fd, start, sizeof(start), 0);

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (count >= (ssize_t)formats[i].magic_bytes &&
            memcmp(start, formats[i].magic, formats[i].magic_bytes) == 0)
            return &formats[i];
    }
    return NULL;
}

bool compressed_open(int *fd, const char *path, struct error *error)
{
    const struct format *format = format_of(*fd);

    if (!format)
        return true;
    struct unpacking unpacking = {.path = path, .from = *fd, .error = error};
    unpacking.to = temporary_file(error);
    if (unpacking.to < 0)
        return false;
    if (!format->unpack(&unpacking)) {
        close(unpacking.to);
        return false;
    }
    close(*fd);
    *fd = unpacking.to;
    return true;
}
