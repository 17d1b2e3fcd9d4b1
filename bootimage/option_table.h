/*
 * All options: on the command line "--name=value", in the project file "name = value".
 */
#ifndef BOOTIMAGE_OPTION_TABLE_H
#define BOOTIMAGE_OPTION_TABLE_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_WORD,    /* has a value */
    OPTION_FILE,    /* has a path; in the project file, from that file's folder on */
    OPTION_MODULE,  /* likewise, and a backslash in it takes the next character as it is */
    OPTION_FLAG,    /* has none, or yes or no */
    OPTION_NUMBER,  /* may have a number */
    OPTION_COMMAND, /* has none, and is no key of the project file */
    OPTION_CONFIG,  /* names the project file */
};

struct option_row {
    const char *name;
    int letter;   /* of the short option; 0: there is none */
    int commands; /* a set of enum command */
    enum option_kind kind;
    /* value is NULL where an option with none was given. It has to live as long as the options. */
    bool (*take)(struct options *options, const char *value, struct error *error);
};

/* Those that plan an image of a kernel. */
#define OPTION_PLANNING_COMMANDS                                                                   \
    (COMMAND_PACKAGE | COMMAND_RUNNER | COMMAND_INSPECT | COMMAND_RUN | COMMAND_TEST)

/* At most this many rows. */
#define OPTION_TABLE_MOST 64

extern const struct option_row option_table[];
extern const size_t option_table_count;

/* The row of a name; NULL if there is none. */
const struct option_row *option_find(const char *name);

/* Keeps a text that was allocated until options_free(). Fails for NULL, too: without memory. */
bool option_own_text(struct options *options, char *text, struct error *error);

/* One more text. */
bool option_add_text(struct options_texts *list, const char *text, struct error *error);

/* Keeps an option that has a part in the image, to tell how it can be made again. Which firmware a
   machine has, has none. */
bool option_note(struct options *options, const struct option_row *row, const char *value,
                 struct error *error);

#endif
