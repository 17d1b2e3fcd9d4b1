/*
 * Collects what the other modules have to say until main.c prints it.
 *
 * Texts quote file names, and a file name may hold anything but 0 and '/': a terminal must not act
 * on it, and one message must stay one line. So every text is escaped here, in one place.
 */
#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char out_of_memory[] = "out of memory [out-of-memory]";

size_t error_utf8_length(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t length;
    uint32_t character;

    if (byte[0] < 0x80)
        return 1;
    if (byte[0] >= 0xC2 && byte[0] <= 0xDF) {
        length = 2;
        character = byte[0] & 0x1Fu;
    } else if (byte[0] >= 0xE0 && byte[0] <= 0xEF) {
        length = 3;
        character = byte[0] & 0x0Fu;
    } else if (byte[0] >= 0xF0 && byte[0] <= 0xF4) {
        length = 4;
        character = byte[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (byte[i] & 0x3Fu);
    }
    bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    return overlong || surrogate || character > 0x10FFFF ? 0 : length;
}

/* Bytes to show as they are: a printable character of UTF-8. C1 controls (C2 80 to C2 9F) are none,
   nor is half a character, which some terminals take for a control. */
static size_t printable_length(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;

    if (byte[0] < 0x20 || byte[0] == 0x7F || (byte[0] == 0xC2 && byte[1] < 0xA0))
        return 0;
    return error_utf8_length(text);
}

char *error_escape(const char *raw)
{
    char *text = malloc(4 * strlen(raw) + 1);
    char *end = text;

    if (!text)
        return NULL;
    while (*raw) {
        size_t length = printable_length(raw);

        if (length) {
            memcpy(end, raw, length);
            end += length;
            raw += length;
        } else {
            end += sprintf(end, "\\x%02x", (unsigned)(unsigned char)*raw++);
        }
    }
    *end = 0;
    return text;
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format,
                                                               va_list arguments)
{
    va_list again;
    char *raw = NULL;
    char *text = NULL;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0)
        raw = malloc((size_t)length + 1);
    if (raw) {
        vsnprintf(raw, (size_t)length + 1, format, again);
        text = error_escape(raw);
    }
    free(raw);
    va_end(again);
    return text ? text : out_of_memory;
}

bool error_set(struct error *error, const char *format, ...)
{
    va_list arguments;

    if (error->text)
        return false;
    va_start(arguments, format);
    error->text = format_text(format, arguments);
    va_end(arguments);
    return false;
}

bool error_out_of_memory(struct error *error)
{
    return error_set(error, "%s", out_of_memory);
}

static void free_text(char *text)
{
    if (text != out_of_memory)
        free(text);
}

bool error_prefix(struct error *error, const char *format, ...)
{
    va_list arguments;
    char *prefix;
    char *whole;

    if (error->text == out_of_memory)
        return false;
    va_start(arguments, format);
    prefix = format_text(format, arguments);
    va_end(arguments);
    whole = malloc(strlen(prefix) + strlen(error->text) + 1);
    if (whole) {
        strcpy(whole, prefix);
        strcat(whole, error->text);
    }
    free_text(prefix);
    free_text(error->text);
    error->text = out_of_memory;
    if (whole)
        error->text = whole;
    return false;
}

/* A place for one more warning; NULL without memory. */
static char **add_warning(struct error *error)
{
    char **more = realloc(error->warnings, (error->warning_count + 1) * sizeof(*more));

    if (!more)
        return NULL;
    error->warnings = more;
    return &more[error->warning_count++];
}

void error_warn(struct error *error, const char *format, ...)
{
    va_list arguments;
    char **warning = add_warning(error);

    if (!warning)
        return;
    va_start(arguments, format);
    *warning = format_text(format, arguments);
    va_end(arguments);
}

void error_demote(struct error *error)
{
    char **warning = add_warning(error);

    if (warning)
        *warning = error->text;
    else
        free_text(error->text);
    error->text = NULL;
}

void error_forget_warnings(struct error *error)
{
    for (size_t i = 0; i < error->warning_count; i++)
        free_text(error->warnings[i]);
    free(error->warnings);
    error->warnings = NULL;
    error->warning_count = 0;
}

void error_free(struct error *error)
{
    error_forget_warnings(error);
    free_text(error->text);
    *error = (struct error){0};
}
