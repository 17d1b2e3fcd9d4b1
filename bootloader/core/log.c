/*
 * The line that the loader prints when it has to stop.
 */
#include "log.h"

#include "firmware.h"

#define ERROR_TEXT(number, name, text, cause, cure) const char error_text_##name[] = text;
ERROR_TABLE(ERROR_TEXT)
#undef ERROR_TEXT

static const char *error_text(enum error_number error)
{
    switch (error) {
#define ERROR_CASE(number, name, text, cause, cure)                                                \
    case ERROR_##name:                                                                             \
        return error_text_##name;
        ERROR_TABLE(ERROR_CASE)
#undef ERROR_CASE
    }
    return "";
}

/* Print a number; no leading zeros. `base` is 10 or 16. */
static void print_number(uint64_t value, unsigned int base)
{
    char digits[21];
    char *p = digits + sizeof(digits) - 1;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    firmware_print(p);
}

static const char *warning_text(enum warning_number warning)
{
    switch (warning) {
#define WARNING_CASE(number, name, text, cause, cure)                                              \
    case WARNING_##name:                                                                           \
        return text;
        WARNING_TABLE(WARNING_CASE)
#undef WARNING_CASE
    }
    return "";
}

void warn(enum warning_number warning)
{
    firmware_print("\nbootimage: W");
    print_number((uint64_t)warning, 10);
    firmware_print(" ");
    firmware_print(warning_text(warning));
    firmware_print("\n");
}

_Noreturn void fail_with(enum error_number error, const struct fail_number *numbers)
{
    const char *before = " (";

    firmware_print("\nbootimage: E");
    print_number((uint64_t)error, 10);
    firmware_print(" ");
    firmware_print(error_text(error));
    for (; numbers->name; numbers++) {
        firmware_print(before);
        firmware_print(numbers->name);
        firmware_print(" 0x");
        print_number(numbers->value, 16);
        before = ", ";
    }
    firmware_print(before[0] == ',' ? ")\n" : "\n");
    firmware_stop();
}
