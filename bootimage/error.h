/*
 * What went wrong, and what looks wrong, as text for people.
 *
 * Modules never print and never exit: they return false after error_set(), and main.c shows the
 * text. A text is one line that names the file, the place, what was found and what to do. It ends
 * with the name of its kind of fault in brackets, as `[segment-overlap]`, which never changes:
 * people search for it, and scripts look at it. diagnostics.txt lists the names.
 */
#ifndef BOOTIMAGE_ERROR_H
#define BOOTIMAGE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/* Start from {0}; give back with error_free(). */
struct error {
    char *text; /* NULL when nothing failed */
    char **warnings;
    size_t warning_count;
};

#define ERROR_PRINTF __attribute__((format(printf, 2, 3)))

/* Keeps the first text it is given, as later ones are mere consequences. Control characters, which
   come from file names, are escaped. Always false, so that a caller can return it. */
bool error_set(struct error *error, const char *format, ...) ERROR_PRINTF;

bool error_out_of_memory(struct error *error);

/* Puts a place in front of the text that error_set() was given. Always false. */
bool error_prefix(struct error *error, const char *format, ...) ERROR_PRINTF;

/* Adds a warning: the image is made all the same. */
void error_warn(struct error *error, const char *format, ...) ERROR_PRINTF;

/* Makes a warning of what error_set() was given, as it was about something optional. */
void error_demote(struct error *error);

/* Once they have been shown. */
void error_forget_warnings(struct error *error);

void error_free(struct error *error);

/* A copy in which controls and what is not UTF-8 are escaped, or NULL without memory. */
char *error_escape(const char *raw);

/* Bytes of the UTF-8 character that text begins with, or 0 if it is none [RFC 3629 §4]. */
size_t error_utf8_length(const char *text);

#endif
