/*
 * Beside the first step: the words of --module become modules, and their files are looked at.
 *
 * Of a file counts only that it is a regular one and how large it is: a module may hold anything,
 * or nothing. Its bytes are read by input.c when plan.c and image.c come for them.
 */
#include "module.h"

#include "compressed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies text up to one of the characters in `ends`, or its end; a backslash takes the next
   character for what it is. *text is moved to the end. NULL without memory; *dangling tells that a
   backslash was last. */
static char *copy_word(const char **text, const char *ends, bool *dangling)
{
    char *word = malloc(strlen(*text) + 1);
    char *end = word;
    const char *next = *text;

    if (!word)
        return NULL;
    while (*next && !strchr(ends, *next)) {
        if (*next == '\\' && *++next == 0) {
            *dangling = true;
            break;
        }
        *end++ = *next++;
    }
    *end = 0;
    *text = next;
    return word;
}

static char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strdup(slash ? slash + 1 : path);
}

/* Fills the three texts. */
static bool split(struct module *module, const char *option, struct error *error)
{
    const char *rest = option;
    bool dangling = false;

    module->path = copy_word(&rest, "=,", &dangling);
    if (!module->path)
        return error_out_of_memory(error);
    if (*rest == '=') {
        rest++;
        module->name = copy_word(&rest, ",", &dangling);
    } else {
        module->name = last_component(module->path);
    }
    module->arguments = strdup(*rest == ',' ? rest + 1 : "");
    if (!module->name || !module->arguments)
        return error_out_of_memory(error);
    if (dangling)
        return error_set(error,
                         "--module=%s: a backslash is last, but takes the next character for what "
                         "it is; write two for one [module-backslash]",
                         option);
    return true;
}

static bool check_text(const char *option, const char *what, const char *text, struct error *error)
{
    if (strlen(text) > MODULE_TEXT_MAXIMUM_BYTES)
        return error_set(error,
                         "--module=%.32s...: its %s takes %zu bytes, more than %u; make a file of "
                         "it [module-text-too-long]",
                         option, what, strlen(text), MODULE_TEXT_MAXIMUM_BYTES);
    for (const char *next = text; *next; next += error_utf8_length(next)) {
        if (error_utf8_length(next) == 0)
            return error_set(error,
                             "--module=%s: its %s is not valid UTF-8 at byte %zu; give it another, "
                             "as FILE=name,arguments [module-utf8]",
                             option, what, (size_t)(next - text));
    }
    return true;
}

static bool check_texts(const struct module *module, const char *option, struct error *error)
{
    if (*module->path == 0)
        return error_set(error,
                         "--module=%s: names no file; write FILE[=name][,arguments] "
                         "[module-no-file]",
                         option);
    /* "folder/" has no last component, but is no module either: looking at it says so. */
    bool folder = module->path[strlen(module->path) - 1] == '/';
    if (*module->name == 0 && !folder)
        return error_set(error,
                         "--module=%s: its name is empty; leave the = out to name it like its file "
                         "[module-no-name]",
                         option);
    return check_text(option, "name", module->name, error) &&
           check_text(option, "list of arguments", module->arguments, error);
}

/* Room for a power of two of modules, and so a new one just after each. */
static bool make_room(struct module_list *list, struct error *error)
{
    size_t count = list->count;

    if (count == MODULE_MAXIMUM)
        return error_set(error,
                         "more than %u modules; put files together into one, as an archive "
                         "[too-many-modules]",
                         MODULE_MAXIMUM);
    if ((count & (count - 1)) != 0)
        return true;
    struct module *more = reallocarray(list->modules, count ? 2 * count : 1, sizeof(*more));
    if (!more)
        return error_out_of_memory(error);
    list->modules = more;
    return true;
}

bool module_add(struct module_list *list, const char *option, struct error *error)
{
    if (!make_room(list, error))
        return false;
    struct module *module = &list->modules[list->count++];
    *module = (struct module){.file.fd = -1};
    return split(module, option, error) && check_texts(module, option, error);
}

static bool cannot_open(const char *path, struct error *error)
{
    return error_set(error, "%s: cannot open the module: %s; %s [module-open]", path,
                     strerror(errno),
                     errno == EACCES ? "give read permission" : "check the path in --module");
}

static bool look(struct module *module, struct error *error)
{
    struct stat status;

    /* Not by open() alone: a FIFO would block, a device might act. */
    if (stat(module->path, &status) != 0)
        return cannot_open(module->path, error);
    if (S_ISDIR(status.st_mode))
        return error_set(error,
                         "%s: is a folder, and a module is one file; give one --module for each "
                         "file, or an archive [module-folder]",
                         module->path);
    if (!S_ISREG(status.st_mode))
        return error_set(error,
                         "%s: is not a regular file; copy its content to a file and name that in "
                         "--module [module-not-regular]",
                         module->path);
    int fd = open(module->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cannot_open(module->path, error);
    module->source = input_of(module->path, &status);
    module->file = module->source;
    bool same = input_unchanged(&module->file, fd, error);
    close(fd);
    return same;
}

/* What it is unpacked to has no name, and stays open. */
static bool unpack(struct module *module, struct error *error)
{
    struct stat status;
    int fd = open(module->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return cannot_open(module->path, error);
    if (!compressed_open(&fd, module->path, error) || fstat(fd, &status) != 0) {
        close(fd);
        return error->text ? false : cannot_open(module->path, error);
    }
    module->file = input_of(module->path, &status);
    module->file.fd = fd;
    return true;
}

bool module_add_file(struct module_list *list, const struct module *texts, bool is_compressed,
                     struct error *error)
{
    if (!make_room(list, error))
        return false;
    struct module *module = &list->modules[list->count++];
    *module = (struct module){
        .path = strdup(texts->path),
        .name = strdup(texts->name),
        .arguments = strdup(texts->arguments),
        .file.fd = -1,
    };
    if (!module->path || !module->name || !module->arguments)
        return error_out_of_memory(error);
    return look(module, error) && (!is_compressed || unpack(module, error));
}

bool module_look(struct module_list *list, struct error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!look(&list->modules[i], error))
            return false;
    }
    return true;
}

void module_free(struct module_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->modules[i].file.fd >= 0)
            close(list->modules[i].file.fd);
        free(list->modules[i].path);
        free(list->modules[i].name);
        free(list->modules[i].arguments);
    }
    free(list->modules);
    *list = (struct module_list){0};
}
