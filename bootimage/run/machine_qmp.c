/*
 * QMP, by which a machine is told what to do, and tells what has happened: JSON, an object a line
 * [QEMU docs/interop "qmp-spec.txt"].
 */
#include "run/machine_lines.h"

#include "run/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CHUNK_BYTES 65536
#define COMMAND_LIMIT_MS 30000
/* No message of QEMU is so long. */
#define LINE_MOST (64u << 20)

/* One line of QMP: a greeting, a reply or an event. */
static void take_line(struct machine *machine, const char *line, size_t bytes)
{
    json_t *object = json_loadb(line, bytes, 0, NULL);

    if (json_is_string(json_object_get(object, "event"))) {
        json_array_append_new(machine->events, object);
        return;
    }
    if (object) {
        json_decref(machine->reply);
        machine->reply = object;
    }
}

void machine_take_qmp(struct machine *machine)
{
    char *more = machine->received_bytes < LINE_MOST
                     ? realloc(machine->received, machine->received_bytes + CHUNK_BYTES)
                     : NULL;
    char *line, *end;
    ssize_t count;

    if (!more) {
        machine_close_end(&machine->qmp);
        return;
    }
    machine->received = more;
    count = recv(machine->qmp, more + machine->received_bytes, CHUNK_BYTES, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        machine_close_end(&machine->qmp);
    if (count <= 0)
        return;
    machine->received_bytes += (size_t)count;
    line = more;
    while ((end = memchr(line, '\n', machine->received_bytes - (size_t)(line - more)))) {
        take_line(machine, line, (size_t)(end - line));
        line = end + 1;
    }
    machine->received_bytes -= (size_t)(line - more);
    memmove(more, line, machine->received_bytes);
}

/* The next message that is no event; NULL when QEMU is gone. One that is silent would be so at the
   next command, too: it is ended. What has come while the user's reader was slow is no silence, so
   the time is looked at before the last wait. */
static json_t *wait_for_reply(struct machine *machine)
{
    const int64_t end = clock_ms() + COMMAND_LIMIT_MS;
    bool is_late = false;
    json_t *reply;

    while (!machine->reply && !machine_has_ended(machine) && machine->signal == 0 && !is_late) {
        is_late = clock_ms() >= end;
        machine_wait(machine, is_late ? 0 : 1000);
    }
    if (!machine->reply && is_late && !machine_has_ended(machine)) {
        machine->is_silent = true;
        machine_kill(machine);
    }
    reply = machine->reply;
    machine->reply = NULL;
    return reply;
}

static bool send_line(struct machine *machine, const char *line)
{
    size_t bytes = strlen(line);

    for (size_t sent = 0; sent < bytes;) {
        ssize_t count = send(machine->qmp, line + sent, bytes - sent, MSG_NOSIGNAL);

        if (count < 0 && errno != EINTR)
            return false;
        sent += count > 0 ? (size_t)count : 0;
    }
    return true;
}

json_t *machine_command(struct machine *machine, const char *name, json_t *arguments)
{
    json_t *command = arguments ? json_pack("{s:s, s:o}", "execute", name, "arguments", arguments)
                                : json_pack("{s:s}", "execute", name);
    char *line = command ? json_dumps(command, JSON_COMPACT) : NULL;
    json_t *reply = NULL;
    json_t *value;

    json_decref(command);
    if (line && machine->qmp >= 0 && send_line(machine, line))
        reply = wait_for_reply(machine);
    free(line);
    value = json_incref(json_object_get(reply, "return"));
    json_decref(reply);
    return value;
}

bool machine_run_command(struct machine *machine, const char *name)
{
    json_t *value = machine_command(machine, name, NULL);

    json_decref(value);
    return value;
}

bool machine_continue(struct machine *machine)
{
    for (size_t i = 0; i < MACHINE_CACHED_PAGES; i++)
        machine->pages[i].is_valid = false;
    machine->has_started = true;
    return machine_run_command(machine, "cont");
}

bool machine_stop(struct machine *machine)
{
    return machine_run_command(machine, "stop");
}

char *machine_monitor(struct machine *machine, const char *command)
{
    json_t *value = machine_command(machine, "human-monitor-command",
                                    json_pack("{s:s}", "command-line", command));
    const char *text = json_string_value(value);
    char *copy = text ? strdup(text) : NULL;

    json_decref(value);
    return copy;
}

/* QEMU says hello, and has to be told that it may be talked to. */
bool machine_greet(struct machine *machine)
{
    json_t *greeting = wait_for_reply(machine);
    bool is_there =
        json_object_get(greeting, "QMP") && machine_run_command(machine, "qmp_capabilities");

    json_decref(greeting);
    machine->is_ready = is_there;
    return is_there;
}
