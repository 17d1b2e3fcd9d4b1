/*
 * The line that a failing boot prints.
 */
#include "log.h"

#include "fake_firmware.h"

/* cmocka has a macro of this name, too; here the loader's is called through functions. */
static void fail_plainly(void *argument)
{
    (void)argument;
    fail_with(ERROR_DISK_SHORT, (const struct fail_number[]){{0, 0}});
}

static void fail_with_numbers(void *argument)
{
    (void)argument;
    fail(ERROR_DISK_READ, {"drive", 0x80}, {"sector", UINT64_MAX}, {"status", 0});
}

#undef fail

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)state;
    fake_start();
    return 0;
}

static void a_failure_is_one_line(void **state)
{
    (void)state;
    assert_int_equal(fake_run(fail_plainly, NULL), FAKE_STOPPED);
    assert_string_equal(fake_firmware.printed,
                        "\nbootimage: E9 the boot disk is shorter than the image\n");
}

static void numbers_are_hexadecimal(void **state)
{
    (void)state;
    assert_int_equal(fake_run(fail_with_numbers, NULL), FAKE_STOPPED);
    assert_string_equal(fake_firmware.printed,
                        "\nbootimage: E8 cannot read the boot disk (drive 0x80, sector "
                        "0xffffffffffffffff, status 0x0)\n");
}

static void fail_as_told(void *argument)
{
    const enum error_number *error = argument;

    fail_with(*error, (const struct fail_number[]){{0, 0}});
}

static void every_error_has_a_text_of_its_own(void **state)
{
    static const struct {
        enum error_number number;
        const char *text;
    } errors[] = {
#define ERROR_ROW(number, name, text, cause, cure) {ERROR_##name, text},
        ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
    };

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        enum error_number number = errors[i].number;

        assert_int_equal(number, i + 1);
        assert_int_equal(fake_run(fail_as_told, &number), FAKE_STOPPED);
        assert_int_equal(fake_error(), number);
        assert_non_null(strstr(fake_firmware.printed, errors[i].text));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(errors[i].text, errors[k].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_one_line),
        cmocka_unit_test(numbers_are_hexadecimal),
        cmocka_unit_test(every_error_has_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
