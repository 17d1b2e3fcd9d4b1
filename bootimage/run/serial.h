/*
 * What a guest says on its serial port: kept, and searched for what is expected of it.
 */
#ifndef BOOTIMAGE_RUN_SERIAL_H
#define BOOTIMAGE_RUN_SERIAL_H

#include "error.h"
#include "options.h"
#include "run/escape.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* So much of the end is kept, and a longer line is searched in pieces. */
#define SERIAL_TAIL_BYTES 65536
#define SERIAL_LINE_BYTES 16384

struct serial_pattern {
    const char *text;
    regex_t regex;
    bool was_seen;
};

struct serial {
    char tail[2 * SERIAL_TAIL_BYTES]; /* as it came */
    size_t tail_bytes;
    char line[SERIAL_LINE_BYTES + 1]; /* that is not over, without escape sequences */
    size_t line_bytes;
    enum escape escape;
    bool is_quiet; /* nothing has come since serial_settle() */
    struct serial_pattern *patterns;
    size_t pattern_count;
};

/* The patterns are extended regular expressions, each for one line. Give back with serial_close()
   in either case. */
bool serial_open(struct serial *serial, const struct options_texts *patterns, struct error *error);

void serial_feed(struct serial *serial, const char *bytes, size_t count);

/* To be called now and then, and at the end: if nothing has come since the last call, or no more
   will, what there is of a line is a whole one, as that of a prompt. */
void serial_settle(struct serial *serial, bool at_end);

/* The first pattern that no line has met; NULL if there is none. */
const char *serial_unmet(const struct serial *serial);

/* The last bytes, at most SERIAL_TAIL_BYTES. */
const char *serial_tail(const struct serial *serial, size_t *bytes);

void serial_close(struct serial *serial);

#endif
