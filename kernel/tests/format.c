/*
 * The formatted print, into memory: each conversion of format.h, at its limits.
 */
#include "format.h"

#include "runtime/runtime.h"
#include "test.h"

#include <limits.h>
#include <stdint.h>

struct text {
    char bytes[100];
    size_t length;
};

static void text_put(void *context, char character)
{
    struct text *text = context;

    if (text->length == sizeof(text->bytes))
        panic("more text than was expected");
    text->bytes[text->length++] = character;
}

/* Whether that is what is printed. */
__attribute__((format(printf, 2, 3))) static bool prints(const char *expected, const char *format,
                                                         ...)
{
    struct text text = {.length = 0};
    const struct format_output output = {text_put, &text};
    va_list arguments;

    va_start(arguments, format);
    format_print(&output, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] != expected[i])
            return false;
    }
    return expected[text.length] == '\0';
}

KERNEL_TEST(format_numbers_at_their_limits)
{
    KERNEL_EXPECT(prints("-2147483648", "%d", INT_MIN));
    KERNEL_EXPECT(prints("-9223372036854775808", "%ld", LONG_MIN));
    KERNEL_EXPECT(prints("4294967295", "%u", UINT_MAX));
    KERNEL_EXPECT(prints("18446744073709551615", "%lu", UINT64_MAX));
    KERNEL_EXPECT(prints("ffffffffffffffff", "%lx", UINT64_MAX));
    KERNEL_EXPECT(prints("0 0 0", "%d %x %zu", 0, 0u, (size_t)0));
}

KERNEL_TEST(format_widths)
{
    KERNEL_EXPECT(prints("[   7]", "[%4d]", 7));
    KERNEL_EXPECT(prints("[0007]", "[%04d]", 7));
    KERNEL_EXPECT(prints("[-007]", "[%04d]", -7));
    KERNEL_EXPECT(prints("[  -7]", "[%4d]", -7));
    KERNEL_EXPECT(prints("[12345]", "[%2d]", 12345));
    KERNEL_EXPECT(prints("[000000000000beef]", "[%016lx]", 0xBEEFul));
    KERNEL_EXPECT(prints("[  ab]", "[%4s]", "ab"));
    KERNEL_EXPECT(prints("[abcde]", "[%4s]", "abcde"));
}

KERNEL_TEST(format_text)
{
    KERNEL_EXPECT(prints("a bc 100% ", "%c %s 100%% %s", 'a', "bc", ""));
}

/* The compiler would see these mistakes. */
static const char *volatile unknown = "%d then %q %d";
static const char *volatile cut_short = "a %";
static const char *volatile nothing;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

KERNEL_TEST(format_mistakes_show)
{
    KERNEL_EXPECT(prints("1 then %q %d", unknown, 1, 2));
    KERNEL_EXPECT(prints("a %", cut_short, 1));
    KERNEL_EXPECT(prints("(null)", "%s", nothing));
}

#pragma GCC diagnostic pop
