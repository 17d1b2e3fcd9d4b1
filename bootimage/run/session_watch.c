/*
 * A run, watched: what QEMU tells becomes facts, until nothing more is to come that counts.
 *
 * Where the guest is reset, panics or hangs, QEMU holds it, and report.c looks at it here, before
 * it is gone.
 */
#include "run/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* How often the screen and the CPUs are looked at. */
#define LOOK_MS 250
/* A guest that has said all that is asked for may still crash, or write an exit code. */
#define GRACE_MS 500
/* A guest that panicked may still write its exit code. */
#define PANIC_MS 3000
/* Of a guest that is given up. */
#define STOP_TRIES 8
#define STOP_TRY_MS 13

void session_end_line(struct session *session)
{
    static const char begin[] = "bootimage: E";

    session->line[session->line_bytes] = 0;
    session->line_bytes = 0;
    if (session->facts.loader_error || strncmp(session->line, begin, sizeof(begin) - 1) != 0 ||
        strspn(session->line + sizeof(begin) - 1, "0123456789") == 0)
        return;
    strcpy(session->loader_error, session->line + strlen("bootimage: "));
    session->facts.loader_error = session->loader_error;
}

/* What ended QEMU: isa-debug-exit makes an odd status of a code. */
static void take_end(struct session *session)
{
    const int status = session->machine.status;
    struct facts *facts = &session->facts;

    session->is_over = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) % 2 == 1 && session->machine.has_started &&
        session->options->command == COMMAND_TEST) {
        facts->has_exit_code = true;
        facts->exit_code = (unsigned int)WEXITSTATUS(status) >> 1;
        facts->has_shut_down = false;
        return;
    }
    if (facts->has_shut_down || facts->has_reset || facts->has_timed_out || facts->has_stopped ||
        facts->has_panicked ||
        (WIFEXITED(status) && WEXITSTATUS(status) == 0 && session->options->command == COMMAND_RUN))
        return;
    if (session->machine.is_silent)
        snprintf(session->failure, sizeof(session->failure), "QEMU does not answer any more");
    else if (WIFSIGNALED(status))
        snprintf(session->failure, sizeof(session->failure), "QEMU was killed by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(session->failure, sizeof(session->failure),
                 "QEMU ended by itself, with status %d: %.*s", WEXITSTATUS(status),
                 (int)strcspn(session->messages, "\r\n"),
                 session->message_bytes ? session->messages : "it said nothing");
    facts->qemu_failure = session->failure;
}

static void report(struct session *session, const char *what, enum verdict_status status)
{
    const struct report_subject subject = {
        .name = session->options->file,
        .what = what,
        .status = status,
        .kernel = session->setup->kernel,
        .plan = session->setup->plan,
        .machine = &session->machine,
        .log = session->with_kvm ? NULL : &session->log,
        .serial = &session->serial,
    };

    if (!session->report)
        session->report = report_make(&subject);
}

static void take_reset(struct session *session)
{
    struct facts *facts = &session->facts;
    uint32_t raised;

    facts->has_reset = true;
    facts->has_triple_fault = exception_log_is_triple_fault(&session->log, &raised);
    facts->reset_is_unclear = session->with_kvm;
    session->is_over = true;
    report(session,
           facts->has_triple_fault   ? "triple fault"
           : facts->reset_is_unclear ? "reset or triple fault"
                                     : "reset",
           VERDICT_RESET);
}

/* The guest has switched the machine off; or it has written to the isa-debug-exit of a QEMU that
   tells of that in the same way, and shows the code when it ends. */
static void take_shutdown(struct session *session)
{
    session->facts.has_shut_down = true;
    session->is_over = true;
    session_look(session, true);
    session_take_screenshot(session);
    machine_quit(&session->machine);
    if (machine_has_ended(&session->machine))
        take_end(session);
}

/* Somebody has ended QEMU: who looks at its window may, but not behind a test's back. */
static void take_close(struct session *session, const char *reason)
{
    session->is_over = true;
    machine_quit(&session->machine);
    if (session->options->command == COMMAND_RUN)
        return;
    snprintf(session->failure, sizeof(session->failure), "QEMU was told to end (%s)", reason);
    session->facts.qemu_failure = session->failure;
}

/* The next event, which is the caller's; NULL: none has come. */
static json_t *next_event(struct session *session)
{
    json_t *event = json_incref(json_array_get(session->machine.events, 0));

    if (event)
        json_array_remove(session->machine.events, 0);
    return event;
}

static bool is_event(const json_t *event, const char *name)
{
    const char *own = json_string_value(json_object_get(event, "event"));

    return own && strcmp(own, name) == 0;
}

/* After its panic the guest may still write an exit code, which ends QEMU, or is told of as if the
   guest had switched the machine off. */
static void wait_for_code(struct session *session)
{
    const int64_t end = clock_ms() + PANIC_MS;
    json_t *event;

    machine_continue(&session->machine);
    while (!machine_has_ended(&session->machine) && session->machine.signal == 0 &&
           clock_ms() < end) {
        machine_wait(&session->machine, 100);
        while ((event = next_event(session))) {
            if (is_event(event, "SHUTDOWN"))
                machine_quit(&session->machine);
            json_decref(event);
        }
    }
    if (machine_has_ended(&session->machine))
        take_end(session);
}

static void take_panic(struct session *session)
{
    session->facts.has_panicked = true;
    session->is_over = true;
    session_look(session, true);
    report(session, "panic", VERDICT_FAILED);
    session_take_screenshot(session);
    if (session->options->command == COMMAND_TEST)
        wait_for_code(session);
}

/* The CPUs have stopped. Why, QEMU tells of errors only if it is asked. */
static void take_stop(struct session *session)
{
    json_t *state = machine_command(&session->machine, "query-status", NULL);
    const char *name = json_string_value(json_object_get(state, "status"));

    if (name && strcmp(name, "internal-error") == 0) {
        snprintf(session->failure, sizeof(session->failure),
                 "%s cannot run this guest; try --accel=tcg", session->with_kvm ? "KVM" : "QEMU");
        session->facts.qemu_failure = session->failure;
        session->is_over = true;
    }
    json_decref(state);
}

static void take_event(struct session *session, const json_t *event)
{
    const json_t *data = json_object_get(event, "data");
    const char *reason = json_string_value(json_object_get(data, "reason"));

    if (is_event(event, "SHUTDOWN") && reason && strcmp(reason, "guest-reset") == 0)
        take_reset(session);
    else if (is_event(event, "SHUTDOWN") && json_is_true(json_object_get(data, "guest")))
        take_shutdown(session);
    else if (is_event(event, "SHUTDOWN"))
        take_close(session, reason ? reason : "for no reason");
    else if (is_event(event, "GUEST_PANICKED"))
        take_panic(session);
    else if (is_event(event, "STOP"))
        take_stop(session);
}

static void take_events(struct session *session)
{
    json_t *event;

    while (!session->is_over && (event = next_event(session))) {
        take_event(session, event);
        json_decref(event);
    }
}

/* The guest will not give a verdict any more: it is held, and looked at. One that waits for
   interrupts may be held in the handler of one, so that is tried some times. */
static void give_up(struct session *session)
{
    session->is_over = true;
    machine_stop(&session->machine);
    for (int i = 0; i < STOP_TRIES && !session_is_idle(session); i++) {
        machine_continue(&session->machine);
        machine_wait(&session->machine, STOP_TRY_MS);
        machine_stop(&session->machine);
    }
    session_look(session, true);
    session_find_unmet(session);
    report(session, "timeout", session->facts.unmet ? VERDICT_EXPECTATION : VERDICT_TIMEOUT);
}

static void look_at_clock(struct session *session)
{
    const uint64_t ms = (uint64_t)(clock_ms() - session->start_ms);
    const struct options *options = session->options;

    if (options->outputs.screenshot_at_s && ms >= options->outputs.screenshot_at_s * 1000)
        session_take_screenshot(session);
    /* Who debugs takes the time that it takes. */
    if (options->command == COMMAND_TEST && options->expectations.timeout_s && !options->gdb_port &&
        session->done_ms == 0 && ms >= options->expectations.timeout_s * 1000) {
        session->facts.has_timed_out = true;
        give_up(session);
    }
}

/* Whether all that is asked for has come, and nothing against it right behind. */
static void look_at_expectations(struct session *session)
{
    const enum tap_state tap = tap_state(session->tap);

    session_find_unmet(session);
    if (session->facts.unmet || session->options->expectations.exit_code || tap == TAP_RUNNING ||
        (tap == TAP_NONE && !session->facts.expects))
        return;
    if (session->done_ms == 0)
        session->done_ms = clock_ms();
    if (clock_ms() - session->done_ms < GRACE_MS && !session->facts.has_stopped)
        return;
    session->is_over = true;
    machine_stop(&session->machine);
}

void session_watch(struct session *session)
{
    take_events(session);
    if (session->is_over)
        return;
    if (machine_has_ended(&session->machine)) {
        take_end(session);
        return;
    }
    if (clock_ms() >= session->next_look_ms) {
        session->next_look_ms = clock_ms() + LOOK_MS;
        session_look(session, false);
    }
    if (session->options->command == COMMAND_TEST) {
        if (session->facts.loader_error) {
            session->is_over = true;
            return;
        }
        look_at_expectations(session);
        if (!session->is_over && session->facts.has_stopped)
            give_up(session);
    }
    if (!session->is_over)
        look_at_clock(session);
}
