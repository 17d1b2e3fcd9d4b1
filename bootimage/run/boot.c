/*
 * What is booted by run and test: a kernel is made an image that has no name, an image is taken as
 * it is, with the kernel's file that it holds or that the user names. Next: session.c.
 */
#include "run/boot.h"

#include "image.h"
#include "image_reader.h"
#include "run/session.h"
#include "temporary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

/* The command that makes the image, and "&&"; the caller frees it. */
static char *image_command(const struct options *options)
{
    const struct options_texts *plan_words = &options->plan_words;
    char **words = calloc(plan_words->count + 3, sizeof(*words));
    char *line = NULL;
    char *command = NULL;

    if (!words)
        return NULL;
    words[0] = strdup("bootimage");
    for (size_t i = 0; i < plan_words->count; i++)
        words[i + 1] = strdup(plan_words->texts[i]);
    words[plan_words->count + 1] = strdup(options->file);
    line = qemu_quote(words);
    if (line && asprintf(&command, "%s && ", line) < 0)
        command = NULL;
    free(line);
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
    free(words);
    return command;
}

bool boot_kernel(struct boot *boot, const struct kernel *kernel, const struct plan *plan,
                 struct error *error)
{
    struct session_setup setup = {
        .options = boot->options,
        .kernel = kernel,
        .plan = {plan->records, plan->records_bytes},
        .image_fd = temporary_file(error),
        .image_name = boot->default_image,
        .output = boot->output,
        .errors = boot->errors,
    };
    char *command = image_command(boot->options);
    bool done = false;

    if (!command)
        error_out_of_memory(error);
    setup.image_command = command;
    if (command && setup.image_fd >= 0 &&
        image_write(plan, setup.image_fd, "temporary image (in TMPDIR)", error))
        done = session_run(&setup, &boot->status, error);
    if (setup.image_fd >= 0)
        close(setup.image_fd);
    free(command);
    return done;
}

/* The kernel's own file, if the image holds it, in a file without a name; -1: there is none. */
static int extract_kernel(const struct image_reader *reader, struct error *error)
{
    const struct plan_record *record = NULL;
    uint8_t bytes[CHUNK_BYTES];
    int fd;

    while ((record = plan_reader_find(image_reader_plan(reader), record, PLAN_MODULE))) {
        const struct plan_module *module = (const void *)record;
        uint64_t offset = reader->header.plan_lba * IMAGE_SECTOR_BYTES + module->payload_offset;
        uint64_t left = module->bytes;

        if (!(module->flags & PLAN_MODULE_KERNEL_FILE))
            continue;
        fd = temporary_file(error);
        while (fd >= 0 && left > 0) {
            size_t part = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

            errno = ENOSPC; /* where not all is written */
            if (!image_reader_read(reader, offset, bytes, part, error) ||
                (write(fd, bytes, part) != (ssize_t)part &&
                 !error_set(error,
                            "%s: cannot take the kernel's file out of it: %s; make room, or name "
                            "another folder with TMPDIR [temporary-file]",
                            reader->path, strerror(errno)))) {
                close(fd);
                return -1;
            }
            offset += part;
            left -= part;
        }
        return fd;
    }
    return -1;
}

/* The kernel's file that the user names, or that the image holds. */
struct symbols {
    struct kernel kernel;
    bool is_open;
    int fd; /* of what the image holds; -1: none */
    char path[32];
};

/* Without a file the functions have no names, which is no failure. */
static bool open_symbols(struct symbols *symbols, const struct options *options,
                         const struct image_reader *reader, struct error *error)
{
    const char *path = options->symbols;

    if (!path) {
        symbols->fd = extract_kernel(reader, error);
        if (symbols->fd < 0)
            return !error->text;
        snprintf(symbols->path, sizeof(symbols->path), "/dev/fd/%d", symbols->fd);
        path = symbols->path;
    }
    symbols->is_open = kernel_open(&symbols->kernel, path, error);
    return symbols->is_open;
}

static void close_symbols(struct symbols *symbols)
{
    if (symbols->is_open)
        kernel_close(&symbols->kernel);
    if (symbols->fd >= 0)
        close(symbols->fd);
}

bool boot_image(struct boot *boot, struct error *error)
{
    const struct options *options = boot->options;
    struct session_setup setup = {
        .options = options,
        .image = options->file,
        .image_fd = -1,
        .image_command = "",
        .image_name = options->file,
        .output = boot->output,
        .errors = boot->errors,
    };
    struct image_reader reader;
    struct symbols symbols = {.fd = -1};
    bool done = false;

    if (!image_reader_open(&reader, options->file, error))
        return false;
    if (!image_reader_load_plan(&reader, error))
        goto out;
    setup.plan = image_reader_plan(&reader);
    if (!open_symbols(&symbols, options, &reader, error))
        goto out;
    setup.kernel = symbols.is_open ? &symbols.kernel : NULL;
    done = session_run(&setup, &boot->status, error);
out:
    close_symbols(&symbols);
    image_reader_close(&reader);
    return done;
}
