/*
 * Before the first step: the project file's keys become options, which words then override.
 *
 * libinih splits the file into lines and sections. It says nothing of line numbers, and cuts lines
 * that are longer than its buffer: so the lines are read here, counted, and those are refused.
 */
#include "config.h"

#include "option_table.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "bootimage.ini"

/* A key whose value may go on in the next line. */
struct pending {
    const struct option_row *row; /* NULL: none */
    int commands;                 /* of its section */
    unsigned int line;
    char *value;
};

struct config {
    struct options *options;
    FILE *file;
    const char *path;
    unsigned int line; /* the one that was read last, from 1 */
    bool is_indented;  /* that line */
    struct pending pending;
    struct error *error;
};

/* What the commands' sections are called. */
static const struct {
    const char *name;
    int commands;
} sections[] = {
    {"", OPTION_PLANNING_COMMANDS},
    {"package", COMMAND_PACKAGE | COMMAND_INSPECT},
    {"run", COMMAND_RUN | COMMAND_RUNNER},
    {"test", COMMAND_TEST},
};

/* The commands that a section is for; 0: there is no such section. */
static int section_commands(const char *section)
{
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (strcmp(section, sections[i].name) == 0)
            return sections[i].commands;
    }
    return 0;
}

/* The value of a path that does not begin at the root, from the folder of the file on. */
static char *from_folder(const struct config *config, const char *value, bool escapes)
{
    const char *slash = strrchr(config->path, '/');
    size_t folder_bytes = slash ? (size_t)(slash + 1 - config->path) : 0;
    char *path = malloc(2 * folder_bytes + strlen(value) + 1);
    char *end = path;

    if (!path)
        return NULL;
    for (size_t i = 0; i < folder_bytes && *value != '/'; i++) {
        if (escapes && strchr("=,\\", config->path[i]))
            *end++ = '\\';
        *end++ = config->path[i];
    }
    strcpy(end, value);
    return path;
}

/* The key that is pending has its whole value: takes it, if it is for this command. */
static bool take_pending(struct config *config)
{
    const struct option_row *row = config->pending.row;
    char *value = config->pending.value;
    char *text;

    config->pending.row = NULL;
    config->pending.value = NULL;
    if (!row || !(row->commands & config->pending.commands & (int)config->options->command)) {
        free(value);
        return true;
    }
    text = row->kind == OPTION_FILE || row->kind == OPTION_MODULE
               ? from_folder(config, value, row->kind == OPTION_MODULE)
               : strdup(value);
    free(value);
    if (option_own_text(config->options, text, config->error) &&
        row->take(config->options, text, config->error) &&
        option_note(config->options, row, text, config->error))
        return true;
    config->line = config->pending.line;
    return false;
}

/* The row of a key that stands where it may; NULL after an error. */
static const struct option_row *find_key(const struct config *config, const char *section,
                                         const char *name)
{
    const struct option_row *row = option_find(name);
    const int commands = section_commands(section);

    if (commands == 0)
        error_set(config->error,
                  "there is no section [%s]; use [package], [run] or [test], or none "
                  "[config-section]",
                  section);
    else if (!row || row->kind == OPTION_COMMAND || row->kind == OPTION_CONFIG)
        error_set(config->error,
                  "there is no key %s; keys are the options' names without -- [config-key]", name);
    else if (!(row->commands & commands))
        error_set(config->error,
                  "section [%s] has no key %s, as its command has no such option; move it "
                  "[config-key-elsewhere]",
                  section, name);
    else
        return row;
    return NULL;
}

/* Bytes of a line's text before a comment and the blanks around it: libinih takes comments off
   first lines only. */
static size_t text_bytes(const char *line)
{
    size_t bytes = 0;

    while (line[bytes] &&
           !(line[bytes] == ';' && (bytes == 0 || isblank((unsigned char)line[bytes - 1]))))
        bytes++;
    while (bytes > 0 && isblank((unsigned char)line[bytes - 1]))
        bytes--;
    return bytes;
}

/* The line goes on with the value before it. */
static bool append(struct config *config, const char *value)
{
    const size_t more = text_bytes(value);
    size_t bytes = strlen(config->pending.value);
    char *whole = realloc(config->pending.value, bytes + 1 + more + 1);

    if (!whole)
        return error_out_of_memory(config->error);
    config->pending.value = whole;
    whole[bytes] = ' ';
    memcpy(whole + bytes + 1, value, more);
    whole[bytes + 1 + more] = 0;
    return true;
}

/* As libinih calls it: 0 is a failure. */
static int take_key(void *context, const char *section, const char *name, const char *value)
{
    struct config *config = context;
    struct pending *pending = &config->pending;

    if (config->error->text)
        return 0;
    if (config->is_indented && pending->row && strcmp(pending->row->name, name) == 0)
        return append(config, value);
    if (!take_pending(config))
        return 0;
    const struct option_row *row = find_key(config, section, name);
    if (!row)
        return 0;
    *pending = (struct pending){row, section_commands(section), config->line, strdup(value)};
    return pending->value || error_out_of_memory(config->error);
}

/* As fgets(), but for libinih. */
static char *read_line(char *buffer, int size, void *context)
{
    struct config *config = context;
    char *line = NULL;
    size_t room = 0;
    ssize_t bytes;

    if (config->error->text)
        return NULL;
    bytes = getline(&line, &room, config->file);
    if (bytes < 0) {
        free(line);
        return NULL;
    }
    config->line++;
    config->is_indented = *line == ' ' || *line == '\t';
    if (strlen(line) != (size_t)bytes) {
        error_set(config->error, "the line holds a byte of 0, which no text does [config-zero]");
        free(line);
        return NULL;
    }
    if (bytes >= size) {
        error_set(config->error,
                  "the line has %zd bytes, more than %d; go on in the next line, behind blanks "
                  "[config-line-long]",
                  bytes, size - 1);
        free(line);
        return NULL;
    }
    memcpy(buffer, line, (size_t)bytes + 1);
    free(line);
    return buffer;
}

static bool parse(struct config *config)
{
    int line = ini_parse_stream(read_line, config, take_key, config);

    if (line > 0 && !config->error->text) {
        config->line = (unsigned int)line;
        error_set(config->error, "this is no section, no key = value and no comment [config-line]");
    }
    if (!config->error->text && ferror(config->file))
        error_set(config->error, "cannot read: %s [config-read]", strerror(errno));
    if (!config->error->text)
        take_pending(config);
    free(config->pending.value);
    if (config->error->text)
        return error_prefix(config->error, "%s:%u: ", config->path, config->line);
    return true;
}

/* bootimage.ini beside the kernel, or NULL without memory. */
static char *beside(const char *kernel)
{
    const char *slash = strrchr(kernel, '/');
    size_t folder_bytes = slash ? (size_t)(slash + 1 - kernel) : 0;
    char *path = malloc(folder_bytes + sizeof(FILE_NAME));

    if (path)
        sprintf(path, "%.*s%s", (int)folder_bytes, kernel, FILE_NAME);
    return path;
}

static bool open_file(struct config *config)
{
    config->file = fopen(config->path, "re");
    return config->file != NULL;
}

/* Whether there was no such file; "kernel.elf/" is for kernel.c to refuse. */
static bool is_absent(void)
{
    return errno == ENOENT || errno == ENOTDIR;
}

/* Opens the file in the working directory, else beside the kernel. */
static bool find(struct config *config)
{
    config->path = FILE_NAME;
    if (!open_file(config) && is_absent()) {
        char *path = beside(config->options->file);

        if (!option_own_text(config->options, path, config->error))
            return false;
        config->path = path;
        if (!open_file(config) && is_absent())
            return true;
    }
    return config->file != NULL;
}

bool config_read(struct options *options, struct error *error)
{
    struct config config = {.options = options, .path = options->config, .error = error};
    bool found = config.path ? open_file(&config) : find(&config);

    if (!found && !error->text)
        return error_set(error, "%s: cannot open: %s; check the path and its rights [config-open]",
                         config.path, strerror(errno));
    if (!config.file)
        return !error->text;
    options->config = config.path;
    /* What the file says of the plan becomes words, too. */
    bool done =
        option_add_text(&options->plan_words, "--config=/dev/null", error) && parse(&config);
    fclose(config.file);
    return done;
}
