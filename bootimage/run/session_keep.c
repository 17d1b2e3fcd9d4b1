/*
 * The end of a run: what is told, and what is kept in files.
 *
 * A file that cannot be written is an error of the tool, whatever the guest did; the others are
 * written all the same.
 */
#include "run/session.h"

#include "atomic_file.h"
#include "run/clock.h"
#include "run/junit.h"
#include "run/profile_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_TEXT_REPORT "report.txt"
#define RECORD_JSON_REPORT "report.json"
#define RECORD_PICTURE "screenshot.png"

static const char *const output_names[MACHINE_OUTPUTS] = {
    [MACHINE_SERIAL] = "serial.txt",
    [MACHINE_DEBUGCON] = "debugcon.txt",
    [MACHINE_LOG] = NULL,
    [MACHINE_MESSAGES] = "qemu.txt",
};

/* A file of the record; the caller frees the path. */
static char *record_path(const struct session *session, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", session->options->outputs.record, name) < 0)
        return NULL;
    return path;
}

/* A file that appears whole or not at all: what `write` has written to it. */
static bool write_file(const char *path, const struct session *session,
                       bool (*write)(const struct session *session, FILE *file),
                       struct error *error)
{
    struct atomic_file file;
    FILE *stream;
    bool done;

    if (!atomic_file_open(&file, path, NULL, 0, error))
        return false;
    stream = fdopen(dup(file.fd), "w");
    done = stream && write(session, stream);
    if (stream && fclose(stream) != 0)
        done = false;
    if (done)
        return atomic_file_commit(&file, error);
    error_set(error, "%s: cannot write: %s; make room there, or name another place [file-write]",
              path, strerror(errno));
    atomic_file_abandon(&file);
    return false;
}

/* The same with a file in the record, if there is one. */
static bool record_file(const char *name, const struct session *session,
                        bool (*write)(const struct session *session, FILE *file),
                        struct error *error)
{
    char *path;
    bool done;

    if (!session->options->outputs.record)
        return true;
    path = record_path(session, name);
    done = path ? write_file(path, session, write, error) : error_out_of_memory(error);
    free(path);
    return done;
}

static bool copy_image(const struct session *session, FILE *file)
{
    const char *path = session->setup->image;
    int from = path ? open(path, O_RDONLY | O_CLOEXEC) : session->setup->image_fd;
    char bytes[65536];
    off_t offset = 0;
    ssize_t count = -1;

    while (from >= 0 && (count = pread(from, bytes, sizeof(bytes), offset)) > 0) {
        if (fwrite(bytes, 1, (size_t)count, file) != (size_t)count)
            break;
        offset += count;
    }
    if (path && from >= 0)
        close(from);
    return count == 0;
}

/* What not every run has must not be an earlier one's. */
static void forget_earlier_run(const struct session *session)
{
    static const char *const names[] = {RECORD_TEXT_REPORT, RECORD_JSON_REPORT, RECORD_PICTURE};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = record_path(session, names[i]);

        if (path)
            unlink(path);
        free(path);
    }
}

bool session_open_record(struct session *session, struct error *error)
{
    const char *folder = session->options->outputs.record;

    if (!folder)
        return true;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set(error,
                         "%s: cannot create: %s; name another folder by --record "
                         "[record-folder]",
                         folder, strerror(errno));
    forget_earlier_run(session);
    for (int i = 0; i < MACHINE_OUTPUTS; i++) {
        char *path = output_names[i] ? record_path(session, output_names[i]) : NULL;

        if (!path)
            continue;
        session->recorded[i] = fopen(path, "we");
        if (!session->recorded[i])
            error_set(error,
                      "%s: cannot create: %s; name another folder by --record "
                      "[record-folder]",
                      path, strerror(errno));
        free(path);
    }
    return !error->text && record_file(SESSION_RECORD_IMAGE, session, copy_image, error);
}

void session_record(struct session *session, enum machine_output output, const char *bytes,
                    size_t count)
{
    if (session->recorded[output])
        fwrite(bytes, 1, count, session->recorded[output]);
}

static bool write_command(const struct session *session, FILE *file)
{
    return fprintf(file, "%s\n", session->command) > 0;
}

bool session_record_command(struct session *session, struct error *error)
{
    return record_file("command", session, write_command, error);
}

static bool close_record(struct session *session, struct error *error)
{
    bool done = true;

    for (int i = 0; i < MACHINE_OUTPUTS; i++) {
        FILE *file = session->recorded[i];
        bool failed = file && (fflush(file) != 0 || ferror(file));

        if (file && fclose(file) != 0)
            failed = true;
        session->recorded[i] = NULL;
        if (failed)
            done = error_set(error,
                             "%s/%s: cannot write all of it: %s; make room there, or name another "
                             "folder by --record [record-write]",
                             session->options->outputs.record, output_names[i], strerror(errno));
    }
    return done;
}

void session_close_record(struct session *session)
{
    struct error ignored = {0};

    close_record(session, &ignored);
    error_free(&ignored);
    free(session->command);
    free(session->picture);
}

void session_take_screenshot(struct session *session)
{
    const struct options_outputs *outputs = &session->options->outputs;

    if ((outputs->screenshot || outputs->record) && !session->picture)
        session->picture = machine_screenshot(&session->machine, "png", &session->picture_bytes);
}

void session_end_machine(struct session *session)
{
    const struct options_outputs *outputs = &session->options->outputs;

    if (!machine_has_ended(&session->machine))
        session_take_screenshot(session);
    if (outputs->profile || outputs->svg)
        session->has_profile =
            profile_find(&session->profile, &session->machine, clock_rate(&session->clock));
    if (!machine_has_ended(&session->machine))
        machine_quit(&session->machine);
}

static bool write_picture(const struct session *session, FILE *file)
{
    return fwrite(session->picture, 1, session->picture_bytes, file) == session->picture_bytes;
}

static bool keep_picture(struct session *session, struct error *error)
{
    const char *path = session->options->outputs.screenshot;
    bool done;

    if (!session->picture && path)
        error_warn(error,
                   "%s: no screenshot, as QEMU was gone before its end could be seen; ask for one "
                   "by --screenshot-at [screenshot-none]",
                   path);
    if (!session->picture)
        return true;
    done = !path || write_file(path, session, write_picture, error);
    return record_file(RECORD_PICTURE, session, write_picture, error) && done;
}

static bool write_text_report(const struct session *session, FILE *file)
{
    report_print(session->report, file);
    return !ferror(file);
}

static bool write_json_report(const struct session *session, FILE *file)
{
    return json_dumpf(session->report, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF;
}

static bool keep_report(struct session *session, struct error *error)
{
    const struct options *options = session->options;
    const char *path = options->outputs.crash_report;
    bool (*write)(const struct session *, FILE *) =
        options->json ? write_json_report : write_text_report;
    bool done;

    if (!session->report)
        return true;
    if (options->json && !path)
        write_json_report(session, session->setup->errors);
    else
        report_print(session->report, session->setup->errors);
    done = !path || write_file(path, session, write, error);
    done = record_file(RECORD_TEXT_REPORT, session, write_text_report, error) && done;
    return record_file(RECORD_JSON_REPORT, session, write_json_report, error) && done;
}

static bool write_junit(const struct session *session, FILE *file)
{
    struct junit_run run = {
        .name = session->options->file,
        .tap = session->tap,
        .failure = session->verdict.status == VERDICT_PASSED ? NULL : session->verdict.text,
        .milliseconds = (uint64_t)(session->end_ms - session->start_ms),
    };
    char *text = NULL;
    size_t bytes;
    FILE *memory = session->report ? open_memstream(&text, &bytes) : NULL;
    bool done;

    if (memory) {
        report_print(session->report, memory);
        fclose(memory);
    }
    run.report = text;
    run.serial = serial_tail(&session->serial, &run.serial_bytes);
    done = junit_write(&run, file);
    free(text);
    return done;
}

static bool write_svg(const struct session *session, FILE *file)
{
    return profile_svg(&session->profile, session->options->file, file);
}

static bool keep_profile(struct session *session, struct error *error)
{
    const struct options_outputs *outputs = &session->options->outputs;
    FILE *file =
        session->options->command == COMMAND_TEST ? session->setup->errors : session->setup->output;

    if (!outputs->profile && !outputs->svg)
        return true;
    /* No kernel began, and why, the verdict says. */
    if (!session->has_profile && (session->facts.qemu_failure || session->facts.loader_error))
        return true;
    if (!session->has_profile)
        return error_set(
            error, "no times of the boot were found in the machine's memory; only kernels "
                   "with a struct bootinfo have them, as long as they keep it [profile-none]");
    if (outputs->profile)
        profile_print(&session->profile, file);
    return !outputs->svg || write_file(outputs->svg, session, write_svg, error);
}

/* The verdict as TAP; a # would begin a directive. */
static void print_tap(const struct session *session, bool passed)
{
    FILE *output = session->setup->output;

    fprintf(output, "1..1\n%sok 1 - ", passed ? "" : "not ");
    for (const char *next = session->options->file; *next; next++) {
        if (*next == '#' || *next == '\\')
            fputc('\\', output);
        fputc(*next == '\n' ? ' ' : *next, output);
    }
    fputc('\n', output);
}

static void print_verdict(const struct session *session)
{
    const bool passed = session->verdict.status == VERDICT_PASSED;
    const struct options *options = session->options;

    if (options->outputs.tap && tap_state(session->tap) == TAP_NONE)
        print_tap(session, passed);
    if (!passed || !options->quiet)
        fprintf(session->setup->errors, "bootimage: %s: %s: %s\n", options->file,
                passed ? "passed" : "failed", session->verdict.text);
}

bool session_keep(struct session *session, struct error *error)
{
    bool done = keep_report(session, error);

    done = keep_profile(session, error) && done;
    done = keep_picture(session, error) && done;
    done = close_record(session, error) && done;
    if (session->options->command == COMMAND_TEST) {
        if (session->options->outputs.junit)
            done = write_file(session->options->outputs.junit, session, write_junit, error) && done;
        print_verdict(session);
    } else if (session->facts.qemu_failure) {
        fprintf(session->setup->errors, "bootimage: %s: %s\n", session->options->file,
                session->failure);
    }
    return done;
}
