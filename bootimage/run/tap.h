/*
 * The tests of a guest, which tells of them by TAP on its first serial port, between what firmware,
 * loader and kernel print beside.
 */
#ifndef BOOTIMAGE_RUN_TAP_H
#define BOOTIMAGE_RUN_TAP_H

#include <stddef.h>

#include "error.h"
#include "run/tap_line.h"

/* A line is cut behind these. */
#define TAP_LINE_BYTES 65536
/* More tests, or more words of them, are counted and judged, but not kept. */
#define TAP_TESTS_KEPT 65536
#define TAP_TEXT_BYTES (16 << 20)
#define TAP_DIAGNOSTICS_BYTES 65536 /* of one test */

enum tap_state {
    TAP_NONE,    /* not a word of it */
    TAP_RUNNING, /* tests are to come, or the plan is */
    TAP_PASSED,  /* all have come, and are ok */
    TAP_FAILED,  /* all have come or no more will, and something is wrong: see tap_failure() */
};

struct tap_test {
    uint64_t number;
    bool is_ok; /* as the guest says: a TODO that is not ok is no failure */
    enum tap_directive directive;
    char *description; /* perhaps "" */
    char *reason;      /* of the directive, perhaps "" */
    char *diagnostics; /* the comments behind a test that is not ok, in lines, or NULL */
};

/* Gets all that the guest says. Up to the plan, the bytes as they are and come (is_tap is false),
   but for the beginning of what may be a plan; from the plan on, whole lines without terminal
   escapes, CR and NUL (is_tap is true). Where the plan comes behind the tests, these come once more
   right before it, as TAP. */
struct tap_sink {
    void (*write)(void *context, const char *bytes, size_t count, bool is_tap);
    void *context;
};

struct tap;

/* NULL without memory. */
struct tap *tap_new(struct tap_sink sink);

/* The next bytes, cut anywhere. */
bool tap_feed(struct tap *tap, const char *bytes, size_t count, struct error *error);

/* No more will come: what was held back goes out, a last line without an end counts, and what is
   not complete has failed. */
bool tap_end(struct tap *tap, struct error *error);

/* Comments on the last test may come when the state is final already. */
enum tap_state tap_state(const struct tap *tap);

/* Why it failed, or will fail: "test 3 of 7 not ok: name". NULL if nothing is wrong. Lives until
   the next call with tap. */
const char *tap_failure(struct tap *tap);

/* Why there is no test at all, where a plan says so (perhaps ""), or NULL. */
const char *tap_skip_reason(const struct tap *tap);

const struct tap_test *tap_tests(const struct tap *tap, size_t *count);

/* tap may be NULL. */
void tap_free(struct tap *tap);

#endif
