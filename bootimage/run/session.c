/*
 * The story of a run: QEMU is started, the guest is let go, watched until its end is clear, looked
 * at, and judged.
 *
 * session_watch.c says when the end is clear, report.c why the guest crashed, verdict.c what
 * to make of it all, session_keep.c leaves files of it.
 */
#include "run/session.h"

#include "run/gdb.h"
#include "run/kvm.h"
#include "runner.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 50

/* What the guest said: TAP is for standard output, all else for standard error; what run shows is
   all for standard output. */
static void write_guest(void *context, const char *bytes, size_t count, bool is_tap)
{
    struct session *session = context;
    FILE *file = is_tap || session->options->command == COMMAND_RUN ? session->setup->output
                                                                    : session->setup->errors;

    if (file == session->setup->errors && count > 0)
        session->has_open_line = bytes[count - 1] != '\n';
    while (count > 0 && machine_wait_to_write(&session->machine, fileno(file))) {
        const size_t part = count < PIPE_BUF ? count : PIPE_BUF;

        fwrite(bytes, 1, part, file);
        fflush(file);
        bytes += part;
        count -= part;
    }
}

/* The loader's line on port 0xE9, of which the first one counts. */
static void take_debugcon(struct session *session, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n') {
            session_end_line(session);
        } else if (session->line_bytes < SESSION_LINE_BYTES) {
            session->line[session->line_bytes++] = bytes[i];
        }
    }
}

static void take_message(struct session *session, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && session->message_bytes < SESSION_MESSAGE_BYTES; i++)
        session->messages[session->message_bytes++] = bytes[i];
}

static void take_output(void *context, enum machine_output output, const char *bytes, size_t count)
{
    struct session *session = context;
    struct error ignored = {0};

    session_record(session, output, bytes, count);
    switch (output) {
    case MACHINE_SERIAL:
        serial_feed(&session->serial, bytes, count);
        if (session->options->command == COMMAND_TEST)
            tap_feed(session->tap, bytes, count, &ignored);
        else if (!session->on_terminal && !session->is_curses)
            write_guest(session, bytes, count, false);
        break;
    case MACHINE_DEBUGCON:
        take_debugcon(session, bytes, count);
        break;
    case MACHINE_LOG:
        exception_log_feed(&session->log, bytes, count);
        break;
    case MACHINE_MESSAGES:
        take_message(session, bytes, count);
        break;
    case MACHINE_OUTPUTS:
    default:
        break;
    }
    error_free(&ignored);
}

static bool choose_accelerator(struct session *session, struct error *error)
{
    const struct options_machine *machine = &session->options->machine;
    const char *qemu = machine->qemu ? machine->qemu : QEMU_PROGRAM;

    if (machine->accelerator == OPTIONS_ACCELERATOR_KVM)
        session->with_kvm = true;
    else if (machine->accelerator == OPTIONS_ACCELERATOR_AUTO)
        session->with_kvm = kvm_works(KVM_DEVICE, qemu, KVM_LIMIT_MS);
    if (session->options->verbose)
        fprintf(session->setup->errors, "bootimage: accelerator: %s\n",
                session->with_kvm ? "kvm" : "tcg");
    return !error->text;
}

/* Whether the user's words have QEMU draw on the terminal. */
static bool asks_for_curses(const struct options *options)
{
    bool asks = options->machine.display && strstr(options->machine.display, "curses");

    for (size_t i = 0; i < options->extra_words.count; i++)
        asks |= strstr(options->extra_words.texts[i], "curses") != NULL;
    for (size_t i = 0; options->qemu_arguments[i]; i++)
        asks |= strstr(options->qemu_arguments[i], "curses") != NULL;
    return asks;
}

/* Where the machine appears: run has what runner has, test nothing. */
static const char *choose_display(struct session *session)
{
    const struct options *options = session->options;
    const bool is_uefi = options->firmware == OPTIONS_FIRMWARE_UEFI;
    enum runner_display display = RUNNER_NOTHING;

    session->is_curses = asks_for_curses(options);
    if (options->machine.display) {
        session->on_terminal =
            options->command == COMMAND_RUN && strcmp(options->machine.display, "none") == 0;
        return options->machine.display;
    }
    if (options->command == COMMAND_RUN)
        display = runner_choose_display(options->qemu_arguments, is_uefi);
    session->on_terminal = display == RUNNER_SERIAL;
    session->is_curses |= display == RUNNER_CURSES;
    if (display == RUNNER_CURSES && !options->quiet) {
        fputs(RUNNER_CURSES_NOTICE, session->setup->errors);
        /* QEMU clears the screen at once. */
        sleep(2);
    }
    return display == RUNNER_WINDOW || display == RUNNER_USER ? NULL
           : display == RUNNER_CURSES                         ? "curses"
                                                              : "none";
}

/* The command that makes such a machine without this tool, in one line for a shell: from the image
   in the record, else from one that the line makes first. */
static bool make_command(struct session *session, const struct qemu_setup *setup,
                         struct error *error)
{
    const struct session_setup *own = session->setup;
    const char *record = session->options->outputs.record;
    struct qemu_lines lines = {
        .image = own->image_name, .serial = session->is_curses ? "vc" : "stdio", .qmp = -1};
    struct qemu_command command = {0};
    char *recorded = NULL;
    char *line = NULL;

    if (record && asprintf(&recorded, "%s/" SESSION_RECORD_IMAGE, record) < 0)
        return error_out_of_memory(error);
    if (recorded)
        lines.image = recorded;
    if (qemu_command(&command, setup, &lines))
        line = qemu_quote(command.words);
    qemu_free(&command);
    free(recorded);
    if (!line || asprintf(&session->command, "%s%s", record ? "" : own->image_command, line) < 0)
        session->command = NULL;
    free(line);
    if (!session->command)
        return error_out_of_memory(error);
    if (session->options->verbose)
        fprintf(own->errors, "bootimage: command: %s\n", session->command);
    return true;
}

static bool open_machine(struct session *session, struct error *error)
{
    const struct options *options = session->options;
    struct ovmf ovmf = {0};
    struct machine_start start = {
        .image = session->setup->image,
        .image_fd = session->setup->image_fd,
        .keeps_memory = options->outputs.profile || options->outputs.svg,
        .take = take_output,
        .context = session,
    };
    struct qemu_setup setup = {.options = options, .with_kvm = session->with_kvm};
    bool done = false;

    setup.display = choose_display(session);
    setup.has_monitor = session->is_curses;
    start.on_terminal = session->on_terminal;
    start.has_terminal = options->command == COMMAND_RUN;
    if (options->firmware == OPTIONS_FIRMWARE_UEFI) {
        if (!ovmf_find(&ovmf, options->machine.ovmf, error))
            goto out;
        setup.ovmf = &ovmf;
    }
    if (make_command(session, &setup, error) && session_record_command(session, error))
        done = machine_open(&session->machine, &setup, &start, error);
out:
    ovmf_free(&ovmf);
    return done;
}

static bool open_session(struct session *session, const struct session_setup *setup,
                         struct error *error)
{
    const struct tap_sink sink = {write_guest, session};

    session->setup = setup;
    session->options = setup->options;
    session->machine =
        (struct machine){.qmp = -1, .outputs = {-1, -1, -1, -1}, .memory = -1, .ram = -1};
    exception_log_start(&session->log);
    session->tap = tap_new(sink);
    if (!session->tap)
        return error_out_of_memory(error);
    return serial_open(&session->serial, &setup->options->expectations.serial, error) &&
           session_open_looks(session, error) && session_open_record(session, error);
}

static void watch(struct session *session)
{
    session->start_ms = clock_ms();
    clock_start(&session->clock);
    if (!session->options->gdb_port && !machine_continue(&session->machine))
        session_watch(session);
    session->machine.has_started = true;
    while (!session->is_over && session->machine.signal == 0) {
        machine_wait(&session->machine, TICK_MS);
        session_watch(session);
    }
}

/* QEMU did not start: what it said, and what may help. */
static void explain_start(struct session *session)
{
    const bool is_missing = WIFEXITED(session->machine.status) &&
                            WEXITSTATUS(session->machine.status) == MACHINE_NOT_FOUND;
    const char *qemu = session->options->machine.qemu;
    char *said = error_escape(session->messages);

    for (char *end = said ? strstr(said, "\\x0a") : NULL; end; end = NULL)
        *end = 0;
    if (is_missing)
        snprintf(session->failure, sizeof(session->failure),
                 "%s: cannot be run: %s; install QEMU (Debian: qemu-system-x86), or name it by "
                 "--qemu [qemu-missing]",
                 qemu ? qemu : QEMU_PROGRAM, said ? said : "");
    else
        snprintf(session->failure, sizeof(session->failure),
                 "QEMU did not start: %s; it has to be 6.0 or later, and to know the options that "
                 "-v shows",
                 said && *said ? said : "it said nothing");
    free(said);
    session->facts.qemu_failure = session->failure;
}

/* The signal that came ends this process, as it would have at once. */
static _Noreturn void die_by_signal(struct session *session)
{
    int number = session->machine.signal;
    sigset_t none;

    if (!machine_has_ended(&session->machine))
        machine_quit(&session->machine);
    machine_close(&session->machine);
    gdb_remove(session->gdb_script);
    signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    raise(number);
    _exit(128 + number);
}

static void judge(struct session *session)
{
    struct facts *facts = &session->facts;
    struct error ignored = {0};

    if (session->options->command == COMMAND_TEST)
        tap_end(session->tap, &ignored);
    error_free(&ignored);
    facts->has_tap = tap_state(session->tap) == TAP_PASSED;
    facts->tap_failure = tap_state(session->tap) == TAP_FAILED ? tap_failure(session->tap) : NULL;
    serial_settle(&session->serial, true);
    session_find_unmet(session);
    verdict_give(&session->verdict, facts, &session->options->expectations);
}

/* The kernel has ended QEMU by a code that is a failure: the report says at least why it has so
   little to say. */
static void report_exit(struct session *session)
{
    const struct report_subject subject = {
        .name = session->options->file,
        .what = "exit code",
        .status = session->verdict.status,
        .kernel = session->setup->kernel,
        .plan = session->setup->plan,
        .machine = &session->machine,
        .serial = &session->serial,
    };

    if (session->facts.has_exit_code && session->verdict.status == VERDICT_FAILED &&
        !session->report && tap_state(session->tap) == TAP_NONE)
        session->report = report_make(&subject);
}

static int exit_status(const struct session *session)
{
    const struct facts *facts = &session->facts;

    if (session->options->command == COMMAND_TEST)
        return (int)session->verdict.status;
    return facts->qemu_failure || facts->has_reset || facts->has_panicked ? EXIT_FAILURE
                                                                          : EXIT_SUCCESS;
}

bool session_run(const struct session_setup *setup, int *status, struct error *error)
{
    struct session *session = calloc(1, sizeof(*session));
    bool done = false;

    if (!session)
        return error_out_of_memory(error);
    if (!open_session(session, setup, error) || !choose_accelerator(session, error))
        goto out;
    if (open_machine(session, error) &&
        (!session->options->gdb_port || session_open_gdb(session, error)))
        watch(session);
    else if (!error->text && session->machine.signal == 0)
        explain_start(session);
    if (error->text)
        goto out;
    if (session->machine.signal != 0)
        die_by_signal(session);
    session_end_machine(session);
    session->end_ms = clock_ms();
    if (session->has_open_line)
        fputc('\n', setup->errors);
    judge(session);
    report_exit(session);
    *status = exit_status(session);
    done = session_keep(session, error);
out:
    machine_close(&session->machine);
    gdb_remove(session->gdb_script);
    session_close_record(session);
    session_close_looks(session);
    serial_close(&session->serial);
    tap_free(session->tap);
    json_decref(session->report);
    free(session);
    return done;
}
