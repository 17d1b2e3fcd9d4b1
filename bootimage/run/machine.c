/*
 * The image meets a machine that is watched: QEMU is a child of this process, its outputs are
 * pipes, and QMP goes over a socket that has no name [QEMU docs/interop "qmp-spec.txt"].
 *
 * QEMU stops where a pipe is full, with all CPUs and its answers to commands; so every wait here
 * empties them. Nothing has a name in any folder, and QEMU dies with this process: so nothing is
 * left behind, whatever ends it.
 */
#include "run/machine_lines.h"

#include "run/clock.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
#define END_LIMIT_MS 5000

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

/* The signals come while ppoll() waits, and never elsewhere. */
static void block_signals(sigset_t *before)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
        sigaddset(&set, ending_signals[i]);
        sigaction(ending_signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &set, before);
}

/* The ends that QEMU gets. */
struct child_ends {
    int qmp;
    int outputs[MACHINE_OUTPUTS];
};

void machine_close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool open_lines(struct machine *machine, struct child_ends *ends, struct error *error)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return error_set(error, "cannot create a socket: %s [machine-lines]", strerror(errno));
    machine->qmp = pair[0];
    ends->qmp = pair[1];
    for (int i = 0; i < MACHINE_OUTPUTS; i++) {
        if (pipe2(pair, O_CLOEXEC) != 0)
            return error_set(error, "cannot create a pipe: %s [machine-lines]", strerror(errno));
        machine->outputs[i] = pair[0];
        ends->outputs[i] = pair[1];
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
    }
    machine->memory = temporary_file(error);
    return machine->memory >= 0;
}

/* Memory of the guest's that outlives QEMU. Where its size is not known, there is none. */
static bool open_ram(struct machine *machine, uint64_t bytes, struct error *error)
{
    if (bytes == 0)
        return true;
    machine->ram = memfd_create("bootimage-ram", MFD_CLOEXEC);
    if (machine->ram >= 0 && ftruncate(machine->ram, (off_t)bytes) == 0)
        return true;
    return error_set(error, "cannot create the memory of the machine: %s [machine-memory]",
                     strerror(errno));
}

static void keep_open(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, 0);
}

/* In the child: becomes QEMU, or tells by the pipe of messages why not. */
static _Noreturn void become_qemu(char *const *words, const struct child_ends *ends,
                                  const struct machine_start *start, const struct machine *machine,
                                  const sigset_t *signals, pid_t parent)
{
    int null = open("/dev/null", O_RDWR);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(MACHINE_NOT_FOUND);
    for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
        signal(ending_signals[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, signals, NULL);
    if (!start->has_terminal) {
        /* A terminal's Ctrl-C is for us: a QEMU that is ended while it starts leaves files. */
        setpgid(0, 0);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    dup2(ends->outputs[MACHINE_MESSAGES], STDERR_FILENO);
    keep_open(ends->qmp);
    for (int i = 0; i < MACHINE_MESSAGES; i++)
        keep_open(ends->outputs[i]);
    keep_open(machine->memory);
    keep_open(machine->ram);
    if (!start->image)
        keep_open(start->image_fd);
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "%s", strerror(errno));
    _exit(MACHINE_NOT_FOUND);
}

static bool start_qemu(struct machine *machine, const struct qemu_setup *setup,
                       const struct machine_start *start, struct child_ends *ends,
                       struct error *error)
{
    char image[32], serial[64], debugcon[32], log[32], ram[32];
    struct qemu_lines lines = {image, serial, debugcon, log, NULL, 0, ends->qmp};
    struct qemu_command command;
    const pid_t parent = getpid();
    sigset_t signals;
    bool done = false;

    if (start->image)
        lines.image = start->image;
    else
        snprintf(image, sizeof(image), "/dev/fd/%d", start->image_fd);
    /* A terminal's serial port is read here from what QEMU logs of it. */
    snprintf(serial, sizeof(serial),
             start->on_terminal ? "stdio,logfile=/dev/fd/%d" : "file,path=/dev/fd/%d",
             ends->outputs[MACHINE_SERIAL]);
    snprintf(debugcon, sizeof(debugcon), "/dev/fd/%d", ends->outputs[MACHINE_DEBUGCON]);
    snprintf(log, sizeof(log), "/dev/fd/%d", ends->outputs[MACHINE_LOG]);
    if (machine->ram >= 0) {
        snprintf(ram, sizeof(ram), "/dev/fd/%d", machine->ram);
        lines.ram = ram;
        lines.ram_bytes = qemu_memory_bytes(setup->options);
    }
    block_signals(&signals);
    if (!qemu_command(&command, setup, &lines)) {
        error_out_of_memory(error);
        goto out;
    }
    machine->pid = fork();
    if (machine->pid == 0)
        become_qemu(command.words, ends, start, machine, &signals, parent);
    if (machine->pid < 0) {
        machine->pid = 0;
        error_set(error, "cannot start a process: %s [machine-fork]", strerror(errno));
        goto out;
    }
    done = true;
out:
    qemu_free(&command);
    return done;
}

bool machine_has_ended(const struct machine *machine)
{
    return machine->pid == 0;
}

static void take_output(struct machine *machine, int output)
{
    static char bytes[CHUNK_BYTES];
    ssize_t count = read(machine->outputs[output], bytes, sizeof(bytes));

    if (count > 0)
        machine->take(machine->context, (enum machine_output)output, bytes, (size_t)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        machine_close_end(&machine->outputs[output]);
}

/* Whether any line was open. */
static bool wait_once(struct machine *machine, int milliseconds)
{
    struct pollfd lines[MACHINE_OUTPUTS + 1];
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    bool is_open = machine->qmp >= 0;
    sigset_t none;

    sigemptyset(&none);
    for (int i = 0; i < MACHINE_OUTPUTS; i++) {
        lines[i] = (struct pollfd){.fd = machine->outputs[i], .events = POLLIN};
        is_open |= machine->outputs[i] >= 0;
    }
    lines[MACHINE_OUTPUTS] = (struct pollfd){.fd = machine->qmp, .events = POLLIN};
    if (!is_open)
        return false;
    if (ppoll(lines, MACHINE_OUTPUTS + 1, &limit, &none) < 0) {
        machine->signal = caught;
        return true;
    }
    for (int i = 0; i < MACHINE_OUTPUTS; i++) {
        if (lines[i].revents)
            take_output(machine, i);
    }
    if (lines[MACHINE_OUTPUTS].revents)
        machine_take_qmp(machine);
    return true;
}

/* QEMU has closed its socket, as it does at its end: the rest of what it said comes in. */
static void reap(struct machine *machine)
{
    const int64_t end = clock_ms() + END_LIMIT_MS;

    machine_close_end(&machine->qmp);
    while (clock_ms() < end && wait_once(machine, 100) && machine->signal == 0)
        continue;
    if (waitpid(machine->pid, &machine->status, WNOHANG) != machine->pid) {
        kill(machine->pid, SIGKILL);
        waitpid(machine->pid, &machine->status, 0);
    }
    machine->pid = 0;
}

/* With what it has started, if it was given a group of its own. */
static void kill_all(const struct machine *machine)
{
    if (getpgid(machine->pid) == machine->pid)
        kill(-machine->pid, SIGKILL);
    kill(machine->pid, SIGKILL);
}

void machine_kill(struct machine *machine)
{
    kill_all(machine);
    reap(machine);
}

bool machine_wait_to_write(struct machine *machine, int fd)
{
    struct pollfd line = {.fd = fd, .events = POLLOUT};
    sigset_t none;

    sigemptyset(&none);
    while (machine->signal == 0 && ppoll(&line, 1, NULL, &none) < 0)
        machine->signal = caught;
    return machine->signal == 0;
}

void machine_wait(struct machine *machine, int milliseconds)
{
    if (machine_has_ended(machine))
        return;
    wait_once(machine, milliseconds);
    if (machine->qmp < 0)
        reap(machine);
}

bool machine_open(struct machine *machine, const struct qemu_setup *setup,
                  const struct machine_start *start, struct error *error)
{
    struct child_ends ends = {.qmp = -1, .outputs = {-1, -1, -1, -1}};
    bool done;

    *machine = (struct machine){
        .qmp = -1,
        .outputs = {-1, -1, -1, -1},
        .memory = -1,
        .ram = -1,
        .is_q35 = qemu_is_q35(setup),
        .take = start->take,
        .context = start->context,
        .events = json_array(),
    };
    done = open_lines(machine, &ends, error) &&
           open_ram(machine, start->keeps_memory ? qemu_memory_bytes(setup->options) : 0, error) &&
           start_qemu(machine, setup, start, &ends, error);
    machine_close_end(&ends.qmp);
    for (int i = 0; i < MACHINE_OUTPUTS; i++)
        machine_close_end(&ends.outputs[i]);
    return done && machine_greet(machine);
}

void machine_quit(struct machine *machine)
{
    const int64_t end = clock_ms() + END_LIMIT_MS;

    /* A signal may have come while QEMU started. */
    if (!machine->is_ready)
        machine_run_command(machine, "qmp_capabilities");
    machine_run_command(machine, "quit");
    while (!machine_has_ended(machine) && clock_ms() < end)
        machine_wait(machine, 100);
}

void machine_close(struct machine *machine)
{
    if (!machine_has_ended(machine)) {
        kill_all(machine);
        waitpid(machine->pid, &machine->status, 0);
        machine->pid = 0;
    }
    machine_close_end(&machine->qmp);
    machine_close_end(&machine->memory);
    machine_close_end(&machine->ram);
    for (int i = 0; i < MACHINE_OUTPUTS; i++)
        machine_close_end(&machine->outputs[i]);
    json_decref(machine->events);
    json_decref(machine->reply);
    free(machine->received);
}
