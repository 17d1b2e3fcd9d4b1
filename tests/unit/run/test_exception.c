/*
 * Exceptions in words: all vectors, and what error codes mean.
 */
#include "support.h"

#include <string.h>

#include "run/exception.h"

static void every_vector_has_a_name(void **state)
{
    static const struct {
        uint32_t vector;
        const char *name;
    } cases[] = {
        {0, "divide error"},
        {6, "invalid opcode"},
        {8, "double fault"},
        {13, "general protection fault"},
        {14, "page fault"},
        {15, "exception 15"},
        {19, "SIMD floating-point exception"},
        {30, "security exception"},
        {31, "exception 31"},
        {32, "interrupt 0x20"},
        {255, "interrupt 0xff"},
    };
    char buffer[EXCEPTION_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(exception_name(cases[i].vector, buffer), cases[i].name);
    for (uint32_t vector = 0; vector < 300; vector++)
        assert_non_null(exception_name(vector, buffer));
}

static void page_faults_tell_access_and_reason(void **state)
{
    static const struct {
        uint32_t error_code;
        uint64_t cr2;
        const char *text;
        const char *reason;
    } cases[] = {
        {0x00, 0x1234, "page fault, read from 0x1234", "not mapped"},
        {0x02, 0xdeadb000, "page fault, write to 0xdeadb000", "not mapped"},
        {0x10, 0, "page fault, execution of 0x0", "not mapped"},
        {0x01, 0x1234, "page fault, read from 0x1234", "not readable"},
        {0x03, 0x1234, "page fault, write to 0x1234", "not writable"},
        {0x11, 0x1234, "page fault, execution of 0x1234", "not executable"},
        {0x05, 0x1234, "page fault, read from 0x1234", "not readable in user mode"},
        {0x07, 0x1234, "page fault, write to 0x1234", "not writable in user mode"},
        {0x15, 0x1234, "page fault, execution of 0x1234", "not executable in user mode"},
        {0x25, 0x1234, "page fault, read from 0x1234", "forbidden by its protection key"},
        {0x0b, 0x1234, "page fault, write to 0x1234", "a reserved bit is set in the page tables"},
        /* Without NX: the instruction itself. */
        {0x00, 0x20401000, "page fault, execution of 0x20401000", "not mapped"},
        {0x02, 0x20401000, "page fault, write to 0x20401000", "not mapped"},
        {0x01, 0x20401000, "page fault, read from 0x20401000", "not readable"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exception exception = {
            .vector = EXCEPTION_PAGE_FAULT,
            .raised = EXCEPTION_PAGE_FAULT,
            .during = EXCEPTION_NONE,
            .has_error_code = true,
            .error_code = cases[i].error_code,
            .registers = {.rip = 0x401000, .cs_base = 0x20000000, .cr2 = cases[i].cr2},
        };
        char text[EXCEPTION_TEXT_BYTES];

        exception_describe(&exception, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
        assert_string_equal(exception_reason(&exception), cases[i].reason);
    }
}

static void others_tell_what_they_know(void **state)
{
    static const struct {
        struct exception exception;
        const char *text;
    } cases[] = {
        {{.vector = 6, .raised = 6, .during = EXCEPTION_NONE}, "invalid opcode"},
        {{.vector = 3, .raised = 3, .during = EXCEPTION_NONE, .is_software = true},
         "breakpoint, by an instruction for it"},
        {{.vector = 14, .raised = 14, .during = EXCEPTION_NONE, .is_software = true},
         "page fault, by an instruction for it"},
        {{.vector = 13, .raised = 13, .during = EXCEPTION_NONE}, "general protection fault"},
        {{.vector = 13, .raised = 13, .during = EXCEPTION_NONE, .error_code = 0x29},
         "general protection fault, selector 0x28"},
        {{.vector = 13, .raised = 13, .during = EXCEPTION_NONE, .error_code = 0x2c},
         "general protection fault, selector 0x2c"},
        {{.vector = 11, .raised = 11, .during = 32, .error_code = 0x103},
         "segment not present in delivery of interrupt 0x20"},
        {{.vector = 13, .raised = 13, .during = EXCEPTION_NONE, .error_code = 0x102},
         "general protection fault, error code 0x102 of the IDT"},
        {{.vector = 14, .raised = 14, .during = 6, .error_code = 2, .registers = {.cr2 = 1}},
         "page fault, write to 0x1 in delivery of invalid opcode"},
        {{.vector = 21, .raised = 21, .during = EXCEPTION_NONE, .error_code = 3},
         "control protection exception, error code 0x3"},
        {{.vector = 8, .raised = 13, .during = 14},
         "double fault, general protection fault in delivery of page fault"},
        {{.vector = 8, .raised = 8, .during = EXCEPTION_NONE}, "double fault"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[EXCEPTION_TEXT_BYTES];
        char cut[8];

        exception_describe(&cases[i].exception, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
        bool is_page_fault = cases[i].exception.vector == 14 && !cases[i].exception.is_software;
        assert_int_equal(exception_reason(&cases[i].exception) != NULL, is_page_fault);
        exception_describe(&cases[i].exception, cut, sizeof(cut));
        assert_int_equal(strlen(cut), sizeof(cut) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_has_a_name),
        cmocka_unit_test(page_faults_tell_access_and_reason),
        cmocka_unit_test(others_tell_what_they_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
