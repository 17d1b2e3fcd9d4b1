/*
 * Tells escape sequences from text in what comes over a serial port, byte by byte.
 *
 * UEFI firmware writes such, and right before the kernel's first line. Sequences of the C1 controls
 * as bytes (9B for ESC [) are not known here: they would be parts of UTF-8 characters.
 */
#include "run/escape.h"

#define ESC '\x1b'
#define BEL '\a'
#define CANCEL '\x18'
#define SUBSTITUTE '\x1a'

static bool is_within(char byte, char first, char last)
{
    return byte >= first && byte <= last;
}

/* What comes behind ESC. */
static bool take_second(enum escape *escape, char byte)
{
    if (byte == '[')
        *escape = ESCAPE_CONTROL;
    else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        *escape = ESCAPE_STRING;
    else if (is_within(byte, ' ', '/'))
        *escape = ESCAPE_INTERMEDIATE;
    else
        *escape = ESCAPE_NONE;
    return is_within(byte, ' ', '~');
}

/* Bytes of a sequence go on until one of those that end it. */
static bool take_until(enum escape *escape, char byte, char first_end)
{
    if (!is_within(byte, ' ', '~') || byte >= first_end)
        *escape = ESCAPE_NONE;
    return is_within(byte, ' ', '~');
}

static bool take_of_string(enum escape *escape, char byte)
{
    if (byte == BEL || byte == '\n')
        *escape = ESCAPE_NONE;
    return byte != '\n';
}

bool escape_take(enum escape *escape, char byte)
{
    if (byte == ESC) {
        *escape = ESCAPE_BEGUN; /* which cuts a sequence off, or ends a string with its '\\' */
        return true;
    }
    if (*escape != ESCAPE_NONE && (byte == CANCEL || byte == SUBSTITUTE)) {
        *escape = ESCAPE_NONE;
        return true;
    }
    switch (*escape) {
    case ESCAPE_NONE:
        return false;
    case ESCAPE_BEGUN:
        return take_second(escape, byte);
    case ESCAPE_INTERMEDIATE:
        return take_until(escape, byte, '0');
    case ESCAPE_CONTROL:
        return take_until(escape, byte, '@');
    case ESCAPE_STRING:
        return take_of_string(escape, byte);
    }
    return false;
}

bool escape_hides(enum escape *escape, char byte)
{
    return escape_take(escape, byte) || byte == '\r' || byte == 0;
}
