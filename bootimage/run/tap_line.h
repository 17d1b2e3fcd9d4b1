/*
 * One line of TAP [TAP 14 "Test Anything Protocol"].
 */
#ifndef BOOTIMAGE_RUN_TAP_LINE_H
#define BOOTIMAGE_RUN_TAP_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum tap_line_kind {
    TAP_LINE_OTHER, /* what the kernel prints beside, YAML, and the tests of a test */
    TAP_LINE_PLAN,
    TAP_LINE_TEST,
    TAP_LINE_BAIL_OUT,
    TAP_LINE_DIAGNOSTIC,
};

enum tap_directive { TAP_NO_DIRECTIVE, TAP_SKIP, TAP_TODO };

struct tap_line {
    enum tap_line_kind kind;
    enum tap_directive directive; /* of a test, and of a plan without tests */
    bool is_ok;
    bool has_number;
    uint64_t number;    /* of the test, or of tests in the plan; UINT64_MAX if it is more */
    const char *text;   /* the description, why it bailed out, or what is behind '#'; else "" */
    const char *reason; /* behind the directive, else "" */
};

/* line, which has no newline, is cut into the parts that result points to. */
void tap_line_parse(struct tap_line *result, char *line);

/* How far a line has come to be a plan. */
enum tap_plan {
    TAP_PLAN_START,
    TAP_PLAN_ONE,
    TAP_PLAN_DOT,
    TAP_PLAN_DOTS,
    TAP_PLAN_COUNT, /* from here on, it is one if it ends */
    TAP_PLAN_SPACE,
    TAP_PLAN_COMMENT, /* from here on, it is one whatever comes */
    TAP_PLAN_NOT,
};

enum tap_plan tap_plan_next(enum tap_plan plan, char character);

#endif
