/*
 * The tests of a TAP stream, one after the other, and what is wrong with them.
 */
#ifndef BOOTIMAGE_RUN_TAP_TESTS_H
#define BOOTIMAGE_RUN_TAP_TESTS_H

#include "run/tap.h"

#define TAP_PROBLEM_BYTES 320

/* Start from {0}; give back with tap_tests_free(). */
struct tap_tests {
    struct tap_test *tests;
    size_t kept;
    size_t capacity;
    size_t text_bytes; /* of all that are kept */
    uint64_t count;    /* as many came, kept or not */
    uint64_t not_ok_count;
    uint64_t early_count; /* before the plan */
    uint64_t planned;
    bool has_plan;
    bool is_bailed_out;
    char *skip_reason;               /* of a plan without tests, or NULL */
    char problem[TAP_PROBLEM_BYTES]; /* the first thing wrong but a test that is not ok, or "" */
    char not_ok[TAP_PROBLEM_BYTES];  /* number and name of the first that is not ok */
};

/* Whether the line, of any kind, could be kept in memory. */
bool tap_tests_add(struct tap_tests *tests, const struct tap_line *line, struct error *error);

/* Whether as many have come as the plan says. */
bool tap_tests_are_complete(const struct tap_tests *tests);

void tap_tests_free(struct tap_tests *tests);

#endif
