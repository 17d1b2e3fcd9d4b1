/*
 * The formatted print: printf() as far as a small kernel needs it.
 */
#ifndef KERNEL_FORMAT_H
#define KERNEL_FORMAT_H

#include <stdarg.h>

/* Where the text goes, one byte a call. */
struct format_output {
    void (*put)(void *context, char character);
    void *context;
};

/*
 * Knows %d %u %x (int, with l: long, with z: size_t), %c, %s and %%, each with a width, which a 0
 * before it fills with zeros. uint64_t is an unsigned long here: %lu, %lx. Anything else is printed
 * as it stands, together with the rest of the format, as its arguments cannot be told apart.
 */
__attribute__((format(printf, 2, 0))) void format_print(const struct format_output *output,
                                                        const char *format, va_list arguments);

#endif
