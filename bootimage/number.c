/*
 * Before the first step: words on the command line become numbers.
 *
 * strtoull() takes signs, spaces and octal numbers, and a kernel with a stack of 8 bytes for
 * --stack-size=010 would be no help to anyone.
 */
#include "number.h"

#include <stddef.h>
#include <string.h>

static bool digit_value(char character, unsigned base, unsigned *value)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *digit = character ? strchr(digits, character) : NULL;

    if (!digit)
        return false;
    *value = (unsigned)(digit - digits);
    if (*value >= 16)
        *value -= 6;
    return *value < base;
}

/* Returns what follows the number, or NULL where there is none. */
static const char *parse(const char *text, uint64_t *number)
{
    bool hexadecimal = text[0] == '0' && text[1] == 'x';
    unsigned base = hexadecimal ? 16 : 10;
    unsigned value;
    const char *first = hexadecimal ? text + 2 : text;

    *number = 0;
    for (text = first; digit_value(*text, base, &value); text++) {
        if (*number > (UINT64_MAX - value) / base)
            return NULL;
        *number = *number * base + value;
    }
    return text > first ? text : NULL;
}

bool number_parse(const char *text, uint64_t *number)
{
    const char *end = parse(text, number);

    return end && *end == 0;
}

bool number_parse_bytes(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "KMG";
    const char *end = parse(text, bytes);

    if (!end)
        return false;
    for (unsigned i = 0; *end && i < sizeof(suffixes) - 1; i++) {
        unsigned shift = 10 * (i + 1);

        if (*end != suffixes[i])
            continue;
        if (*bytes > UINT64_MAX >> shift)
            return false;
        *bytes <<= shift;
        end++;
        break;
    }
    return *end == 0;
}
