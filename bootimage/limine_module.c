/*
 * Second step, for kernels of the Limine boot protocol: an array of pointers leads to structs whose
 * texts name files. All of it lies in the kernel's memory, and nothing of it is believed.
 */
#include "limine_module.h"

#include "loaded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the request, from its revision 1 on. */
#define REQUEST_COUNT (LIMINE_FIELDS + 0)
#define REQUEST_MODULES (LIMINE_FIELDS + 8)
/* Of a struct limine_internal_module. */
#define MODULE_PATH 0
#define MODULE_STRING 8
#define MODULE_FLAGS 16
#define FLAG_REQUIRED 0x1u
#define FLAG_COMPRESSED 0x2u

struct reading {
    struct kernel *kernel;
    uint64_t vaddr; /* of the request, as linked, for messages */
    uint64_t index; /* of the module */
    struct error *error;
};

/* Reads the word, if some segment has it. */
static bool read_word(const struct reading *reading, const char *what, uint64_t vaddr,
                      uint64_t *word)
{
    if (loaded_segment(reading->kernel, vaddr, sizeof(*word)))
        return loaded_word(reading->kernel, vaddr, word, reading->error);
    return error_set(reading->error,
                     "%s: the %s of internal module %" PRIu64
                     " of the Limine request `module' at 0x%" PRIx64 " should be at 0x%" PRIx64
                     ", where no segment is; correct the pointer [limine-pointer]",
                     reading->kernel->path, what, reading->index, reading->vaddr, vaddr);
}

/* An empty text, where the pointer may be 0 and is. */
static bool read_text(const struct reading *reading, const char *what, uint64_t vaddr, char *text)
{
    bool is_text;

    *text = 0;
    if (vaddr == 0)
        return true;
    if (!loaded_text(reading->kernel, vaddr, text, MODULE_TEXT_MAXIMUM_BYTES + 1, &is_text,
                     reading->error))
        return false;
    return is_text ||
           error_set(reading->error,
                     "%s: the %s of internal module %" PRIu64
                     " of the Limine request `module' at 0x%" PRIx64 " should be at 0x%" PRIx64
                     ", where no text of at most %u bytes ends; correct the pointer "
                     "[limine-pointer]",
                     reading->kernel->path, what, reading->index, reading->vaddr, vaddr,
                     MODULE_TEXT_MAXIMUM_BYTES);
}

/* The file beside the kernel. NULL: out of memory. */
static char *path_beside(const struct kernel *kernel, const char *path)
{
    const char *slash = strrchr(kernel->path, '/');
    const size_t folder_bytes = slash ? (size_t)(slash + 1 - kernel->path) : 0;
    const size_t bytes = folder_bytes + strlen(path) + 1;
    char *full = malloc(bytes);

    if (full)
        snprintf(full, bytes, "%.*s%s", (int)folder_bytes, kernel->path, path);
    return full;
}

/* Whether there is such a file; says so if not. */
static bool is_there(const struct reading *reading, const char *name, const char *path,
                     bool is_required)
{
    struct stat status;
    const char *trouble = NULL;

    if (*name == 0)
        trouble = "it has no path";
    else if (stat(path, &status) != 0 || access(path, R_OK) != 0)
        trouble = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        trouble = "it is not a regular file";
    if (!trouble)
        return true;
    error_set(reading->error,
              "%s: the Limine request `module' at 0x%" PRIx64
              " names `%s' (internal module %" PRIu64
              "), which is to be %s: %s; put the file there, or take it out of the kernel's list "
              "[limine-module]",
              reading->kernel->path, reading->vaddr, name, reading->index, path, trouble);
    if (!is_required)
        error_demote(reading->error);
    return false;
}

static bool add(const struct reading *reading, const char *name, char *arguments, uint64_t flags)
{
    const bool is_required = flags & FLAG_REQUIRED;
    bool done;

    name += strspn(name, "/"); /* relative to the kernel, however it is written */
    char *path = path_beside(reading->kernel, name);
    if (!path)
        return error_out_of_memory(reading->error);
    struct module texts = {.path = path, .name = (char *)(uintptr_t)name, .arguments = arguments};
    if (is_there(reading, name, path, is_required))
        done = module_add_file(&reading->kernel->modules, &texts, flags & FLAG_COMPRESSED,
                               reading->error);
    else
        done = !is_required;
    free(path);
    return done;
}

/* texts has room for two of them. */
static bool read_module(const struct reading *reading, uint64_t vaddr, char *texts)
{
    char *arguments = texts + MODULE_TEXT_MAXIMUM_BYTES + 1;
    uint64_t name_vaddr, arguments_vaddr, flags;

    return read_word(reading, "path", vaddr + MODULE_PATH, &name_vaddr) &&
           read_word(reading, "string", vaddr + MODULE_STRING, &arguments_vaddr) &&
           read_word(reading, "list of flags", vaddr + MODULE_FLAGS, &flags) &&
           read_text(reading, "path", name_vaddr, texts) &&
           read_text(reading, "string", arguments_vaddr, arguments) &&
           add(reading, texts, arguments, flags);
}

static bool read_all(struct reading *reading, uint64_t vaddr, char *texts)
{
    uint64_t count, list, module;

    if (!read_word(reading, "count", vaddr + REQUEST_COUNT, &count) ||
        !read_word(reading, "list", vaddr + REQUEST_MODULES, &list))
        return false;
    for (reading->index = 0; reading->index < count; reading->index++) {
        if (!read_word(reading, "pointer", list + reading->index * sizeof(module), &module) ||
            !read_module(reading, module, texts))
            return false;
    }
    return true;
}

bool limine_module_read(struct kernel *kernel, const struct limine_request *request,
                        struct error *error)
{
    struct reading reading = {.kernel = kernel, .vaddr = request->vaddr, .error = error};
    const uint64_t vaddr = request->vaddr + kernel->slide;
    uint64_t revision;

    if (!loaded_word(kernel, vaddr + LIMINE_REVISION, &revision, error))
        return false;
    if (revision == 0)
        return true;
    char *texts = malloc(2 * (MODULE_TEXT_MAXIMUM_BYTES + 1));
    bool done = texts ? read_all(&reading, vaddr, texts) : error_out_of_memory(error);
    free(texts);
    return done;
}

bool limine_module_check_count(const struct kernel *kernel, size_t option_count,
                               struct error *error)
{
    if (kernel->modules.count + option_count <= MODULE_MAXIMUM)
        return true;
    return error_set(error,
                     "%s: names %zu modules itself, and %zu come by --module, more than %u in all; "
                     "put files together into one, as an archive [too-many-modules]",
                     kernel->path, kernel->modules.count, option_count, MODULE_MAXIMUM);
}
