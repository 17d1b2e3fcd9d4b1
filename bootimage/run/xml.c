/*
 * Writes what a guest has said into XML that every parser takes [XML 1.0 §2.2 "Characters"].
 */
#include "run/xml.h"

#include <string.h>

#include "error.h"
#include "run/escape.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define UTF8_BYTES_MAX 4

/* U+FFFE and U+FFFF are UTF-8, and no characters. */
static bool is_character(const char *text, size_t length)
{
    static const char before_last[] = "\xef\xbf";

    if (length == 1)
        return (unsigned char)*text >= ' ' || *text == '\n' || *text == '\t';
    return length != 3 || memcmp(text, before_last, 2) != 0 || (unsigned char)text[2] < 0xBE;
}

static const char *reference(char character, bool is_attribute)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return is_attribute ? "&quot;" : NULL;
    case '\n':
        return is_attribute ? "&#10;" : NULL;
    case '\t':
        return is_attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

/* The bytes of the first character, or 1 of what is none; nothing behind the end is read. */
static size_t first_length(const char *bytes, size_t count, bool *is_good)
{
    char first[UTF8_BYTES_MAX + 1] = "";

    memcpy(first, bytes, count < UTF8_BYTES_MAX ? count : UTF8_BYTES_MAX);
    size_t length = error_utf8_length(first);
    *is_good = length > 0 && is_character(first, length);
    return length > 0 ? length : 1;
}

static void write_characters(const char *bytes, size_t count, bool is_attribute, FILE *output)
{
    enum escape escape = ESCAPE_NONE;

    for (size_t i = 0, length; i < count; i += length) {
        const char *name = reference(bytes[i], is_attribute);
        bool is_good;

        length = first_length(bytes + i, count - i, &is_good);
        if (escape_hides(&escape, bytes[i]))
            continue;
        if (!is_good)
            fputs(REPLACEMENT, output);
        else if (name)
            fputs(name, output);
        else
            fwrite(bytes + i, 1, length, output);
    }
}

void xml_write_text(const char *bytes, size_t count, FILE *output)
{
    write_characters(bytes, count, false, output);
}

void xml_write_attribute(const char *name, const char *text, FILE *output)
{
    fprintf(output, " %s=\"", name);
    write_characters(text, strlen(text), true, output);
    fputc('"', output);
}
