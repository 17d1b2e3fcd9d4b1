/*
 * One run of a machine: booted, watched, judged.
 */
#ifndef BOOTIMAGE_RUN_SESSION_H
#define BOOTIMAGE_RUN_SESSION_H

#include "error.h"
#include "kernel.h"
#include "options.h"
#include "plan_reader.h"
#include "run/clock.h"
#include "run/exception_log.h"
#include "run/machine.h"
#include "run/profile.h"
#include "run/report.h"
#include "run/screen_font.h"
#include "run/serial.h"
#include "run/tap.h"
#include "run/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What is booted, and where its words go. */
struct session_setup {
    const struct options *options;
    const struct kernel *kernel; /* NULL: an image without its kernel's file */
    struct plan_view plan;       /* start is NULL: none is known */
    const char *image;           /* a path; NULL: image_fd has it */
    int image_fd;
    const char *image_command; /* what makes an image of this name, for a shell, or "" */
    const char *image_name;
    FILE *output; /* TAP, or what the guest says */
    FILE *errors; /* all else */
};

#define SESSION_RECORD_IMAGE "image.bin"
#define SESSION_MESSAGE_BYTES 1024
#define SESSION_LINE_BYTES 512

struct session {
    const struct session_setup *setup;
    const struct options *options;
    struct machine machine;
    bool with_kvm;
    bool on_terminal; /* the serial port is QEMU's standard input and output */
    bool is_curses;   /* the screen is in the terminal */
    struct serial serial;
    struct tap *tap;
    struct exception_log log;
    struct screen_font *fonts; /* the built-in one, then the user's */
    size_t font_count;
    bool *screens_seen;                /* of each text that is expected on the screen */
    char line[SESSION_LINE_BYTES + 1]; /* of port 0xE9, not over */
    size_t line_bytes;
    char loader_error[SESSION_LINE_BYTES + 1];
    char messages[SESSION_MESSAGE_BYTES + 1]; /* the first that QEMU said */
    size_t message_bytes;
    char failure[SESSION_MESSAGE_BYTES + 256]; /* of QEMU, in words */
    char unmet[SESSION_MESSAGE_BYTES];
    struct facts facts;
    struct verdict verdict;
    json_t *report; /* of a crash; NULL: there was none */
    int64_t start_ms, end_ms;
    int64_t done_ms;      /* all that is asked for has come; 0: not yet */
    int64_t next_look_ms; /* at the screen and the CPUs */
    uint64_t halted_at;   /* where all CPUs were halted at the last look; 0: they were not */
    bool is_over;
    bool has_open_line; /* what the guest wrote last on `errors` is no whole line */
    char *command;      /* that makes such a machine */
    char *gdb_script;   /* its path; NULL: none */
    uint8_t *picture;   /* the screenshot; NULL: none yet */
    size_t picture_bytes;
    struct clock clock;
    struct profile profile;
    bool has_profile;
    int record_error; /* errno of the first write to the record that failed; 0: none has */
    FILE *recorded[MACHINE_OUTPUTS]; /* NULL: not recorded */
};

/* session_watch.c: takes what has come, and looks at the machine where that is due. */
void session_watch(struct session *session);

/* The line of port 0xE9 is over. */
void session_end_line(struct session *session);

/* session_gdb.c: the machine waits for gdb, which lets the guest go. */
bool session_open_gdb(struct session *session, struct error *error);

/* session_look.c: at the screen, and at the CPUs. */
bool session_open_looks(struct session *session, struct error *error);
void session_look(struct session *session, bool at_end);
/* Whether all CPUs are halted. */
bool session_is_idle(struct session *session);
/* Sets facts.unmet and facts.expects. */
void session_find_unmet(struct session *session);
void session_close_looks(struct session *session);

/* session_keep.c: what is kept of the run: the record, reports, pictures. All return false after an
   error, and go on. */
bool session_open_record(struct session *session, struct error *error);
void session_record(struct session *session, enum machine_output output, const char *bytes,
                    size_t count);
bool session_record_command(struct session *session, struct error *error);
void session_take_screenshot(struct session *session);
/* Takes what only the machine has, and has it end in peace, so that a terminal is as it was. */
void session_end_machine(struct session *session);
bool session_keep(struct session *session, struct error *error);
void session_close_record(struct session *session);

/* Boots and waits for the end. The exit status of the command goes to *status, unless it is a
   failure of the tool. */
bool session_run(const struct session_setup *setup, int *status, struct error *error);

#endif
