/*
 * Turns a format and its arguments into text for the console. Pure: it touches no device, needs no
 * memory but a few bytes of stack, and also runs as an ordinary program, for tests.
 */
#include "format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits of UINT64_MAX in decimal. */
#define FORMAT_MAX_DIGITS 20

_Static_assert(sizeof(long) == sizeof(uint64_t), "%lx prints an uint64_t");
_Static_assert(sizeof(long) == sizeof(size_t), "%zu and %lu are one case");

/* What stands between % and the letter of the conversion. */
struct format_options {
    bool fill_zeros;
    bool is_long;
    size_t width;
};

static void format_fill(const struct format_output *output, char character, size_t count)
{
    while (count-- > 0)
        output->put(output->context, character);
}

static void format_string(const struct format_output *output, const struct format_options *options,
                          const char *text)
{
    size_t length = 0;

    if (!text)
        text = "(null)";
    while (text[length])
        length++;
    if (length < options->width)
        format_fill(output, ' ', options->width - length);
    for (size_t i = 0; i < length; i++)
        output->put(output->context, text[i]);
}

static void format_number(const struct format_output *output, const struct format_options *options,
                          bool negative, uint64_t number, unsigned int base)
{
    char digits[FORMAT_MAX_DIGITS];
    size_t count = 0;
    size_t padding = 0;

    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    if (count + negative < options->width)
        padding = options->width - count - negative;

    if (!options->fill_zeros)
        format_fill(output, ' ', padding);
    if (negative)
        output->put(output->context, '-');
    if (options->fill_zeros)
        format_fill(output, '0', padding);
    while (count > 0)
        output->put(output->context, digits[--count]);
}

/* Reads the options at `format` and returns where they end. */
static const char *format_read_options(const char *format, struct format_options *options)
{
    *options = (struct format_options){0};
    if (*format == '0') {
        options->fill_zeros = true;
        format++;
    }
    for (; *format >= '0' && *format <= '9'; format++)
        options->width = options->width * 10 + (size_t)(*format - '0');
    if (*format == 'l' || *format == 'z') {
        options->is_long = true;
        format++;
    }
    return format;
}

void format_print(const struct format_output *output, const char *format, va_list arguments)
{
    const struct format_options plain = {0};

    for (; *format; format++) {
        struct format_options options;
        const char *start = format;
        int64_t number;

        if (*format != '%') {
            output->put(output->context, *format);
            continue;
        }
        format = format_read_options(format + 1, &options);
        switch (*format) {
        case 'd':
            number = options.is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            format_number(output, &options, number < 0,
                          number < 0 ? -(uint64_t)number : (uint64_t)number, 10);
            break;
        case 'u':
        case 'x':
            format_number(output, &options, false,
                          options.is_long ? va_arg(arguments, unsigned long)
                                          : va_arg(arguments, unsigned int),
                          *format == 'u' ? 10 : 16);
            break;
        case 'c':
            output->put(output->context, (char)va_arg(arguments, int));
            break;
        case 's':
            format_string(output, &options, va_arg(arguments, const char *));
            break;
        case '%':
            output->put(output->context, '%');
            break;
        default:
            format_string(output, &plain, start);
            return;
        }
    }
}
