/*
 * Modules: files that a kernel is given, with a name and arguments.
 */
#ifndef BOOTIMAGE_MODULE_H
#define BOOTIMAGE_MODULE_H

#include "error.h"
#include "input.h"

#include <stdbool.h>
#include <stddef.h>

/* As bootinfo.h promises. */
#define MODULE_MAXIMUM 65536u
#define MODULE_TEXT_MAXIMUM_BYTES 65535u

struct module {
    char *path;
    char *name;          /* UTF-8, not empty */
    char *arguments;     /* UTF-8 */
    struct input source; /* as it lies on the disk */
    struct input file;   /* the same, or what that was decompressed to */
};

struct module_list {
    struct module *modules; /* in the order that the kernel is told */
    size_t count;
};

/* Appends the module that option, FILE[=name][,arguments], tells of; the file is not looked at. */
bool module_add(struct module_list *list, const char *option, struct error *error);

/* Appends a module by its texts, and looks at its file; with is_compressed it is what gzip or LZ4
   have made of the content, if they have. */
bool module_add_file(struct module_list *list, const struct module *texts, bool is_compressed,
                     struct error *error);

/* Looks at all files: each has to be a regular one that can be read. */
bool module_look(struct module_list *list, struct error *error);

void module_free(struct module_list *list);

#endif
