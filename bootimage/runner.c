/*
 * The image meets a machine: QEMU takes the place of this process.
 *
 * The image has lost its name before QEMU starts, which opens it through /dev/fd: so whatever ends
 * QEMU, even SIGKILL, nothing is left behind, and its exit status is ours without any waiting.
 */
#include "runner.h"

#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"
/* What comes before the user's arguments, at most, and the NULL at the end. */
#define OWN_ARGUMENTS 24

/* An option of QEMU, which takes it with one '-' or two. */
static bool is_option(const char *argument, const char *const names[])
{
    if (*argument != '-')
        return false;
    argument += argument[1] == '-' ? 2 : 1;
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(argument, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* Whether curses can draw: on a terminal that can move the cursor, and with keys to read, which
   build tools keep from the programs they run. */
static bool take_terminal(void)
{
    const char *type = getenv("TERM");

    if (!isatty(STDOUT_FILENO) || !type || !*type || strcmp(type, "dumb") == 0)
        return false;
    if (isatty(STDIN_FILENO))
        return true;
    int terminal = open("/dev/tty", O_RDWR);
    if (terminal < 0)
        return false;
    bool done = dup2(terminal, STDIN_FILENO) >= 0;
    close(terminal);
    return done;
}

enum runner_display runner_choose_display(char *const arguments[], bool is_uefi)
{
    static const char *const display[] = {"display", "nographic", "curses", "vnc",
                                          "spice",   "sdl",       "gtk",    NULL};
    static const char *const serial[] = {"serial", NULL};
    bool user_output = false;

    for (size_t i = 0; arguments[i]; i++) {
        if (is_option(arguments[i], display))
            return RUNNER_USER;
        /* Standard input and output, for a monitor perhaps, go to one user only. */
        user_output |= is_option(arguments[i], serial) || strstr(arguments[i], "stdio");
    }
    if (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
        return RUNNER_WINDOW;
    if (user_output)
        return RUNNER_NOTHING;
    return !is_uefi && take_terminal() ? RUNNER_CURSES : RUNNER_SERIAL;
}

/* virtio-blk, as SeaBIOS reads it fifteen times as fast as IDE. A disk of the user's own can still
   come first with bootindex=0. */
static size_t add_disk(char **arguments, char drive[64], int fd)
{
    static char device[] = "virtio-blk-pci,drive=bootimage,bootindex=1";
    static char drive_option[] = "-drive";
    static char device_option[] = "-device";

    snprintf(drive, 64, "if=none,id=bootimage,format=raw,file=/dev/fd/%d", fd);
    arguments[0] = drive_option;
    arguments[1] = drive;
    arguments[2] = device_option;
    arguments[3] = device;
    return 4;
}

static size_t add_display(char **arguments, enum runner_display display)
{
    static char display_option[] = "-display";
    static char serial_option[] = "-serial";
    static char curses[] = "curses";
    static char none[] = "none";
    static char stdio[] = "stdio";
    size_t count = 0;

    if (display == RUNNER_WINDOW || display == RUNNER_USER)
        return 0;
    arguments[count++] = display_option;
    arguments[count++] = display == RUNNER_CURSES ? curses : none;
    if (display == RUNNER_SERIAL) {
        arguments[count++] = serial_option;
        arguments[count++] = stdio;
    }
    return count;
}

int runner_copy_variables(const struct ovmf *ovmf, struct error *error)
{
    struct stat status;
    int from = open(ovmf->variables, O_RDONLY | O_CLOEXEC);
    int to = temporary_file(error);
    bool done = from >= 0 && to >= 0 && fstat(from, &status) == 0;

    for (off_t left = done ? status.st_size : 0; done && left > 0;) {
        ssize_t count = sendfile(to, from, NULL, (size_t)left);

        done = count > 0;
        left -= count;
    }
    if (!done)
        error_set(error,
                  "%s: cannot copy for this run: %s; check it, and the room in TMPDIR "
                  "[ovmf-copy]",
                  ovmf->variables, strerror(errno));
    if (from >= 0)
        close(from);
    if (!done && to >= 0)
        close(to);
    return done ? to : -1;
}

/* A path as it stands in an option of QEMU, where commas separate. */
static void append_path(char *option, const char *path)
{
    option += strlen(option);
    for (; *path; path++) {
        if (*path == ',')
            *option++ = ',';
        *option++ = *path;
    }
    *option = '\0';
}

/* OVMF in flash memory, on the machine that it is made for unless the user has one. The strings
   live until QEMU takes this process. False without memory. */
static bool add_ovmf(char **arguments, size_t *count, const struct runner *runner)
{
    static char machine_option[] = "-machine", machine[] = "q35", drive_option[] = "-drive";
    static const char *const machine_options[] = {"machine", "M", NULL};
    static char variables[64];
    char *code = malloc(64 + 2 * strlen(runner->ovmf->code));
    bool has_machine = false;

    if (!code)
        return false;
    for (size_t i = 0; runner->arguments[i]; i++)
        has_machine |= is_option(runner->arguments[i], machine_options);
    if (!has_machine) {
        arguments[(*count)++] = machine_option;
        arguments[(*count)++] = machine;
    }
    strcpy(code, "if=pflash,format=raw,unit=0,readonly=on,file=");
    append_path(code, runner->ovmf->code);
    arguments[(*count)++] = drive_option;
    arguments[(*count)++] = code;
    if (runner->variables >= 0) {
        snprintf(variables, sizeof(variables), "if=pflash,format=raw,unit=1,file=/dev/fd/%d",
                 runner->variables);
        arguments[(*count)++] = drive_option;
        arguments[(*count)++] = variables;
    }
    return true;
}

bool runner_exec(const struct runner *runner, struct error *error)
{
    static char program[] = QEMU;
    char drive[64];
    size_t user_count = 0;
    size_t count = 0;

    while (runner->arguments[user_count])
        user_count++;
    char **all = calloc(OWN_ARGUMENTS + user_count, sizeof(*all));
    if (!all)
        return error_out_of_memory(error);
    all[count++] = program;
    count += add_disk(all + count, drive, runner->image);
    if (runner->ovmf && !add_ovmf(all, &count, runner))
        return error_out_of_memory(error);
    count += add_display(all + count, runner->display);
    memcpy(all + count, runner->arguments, user_count * sizeof(*all));
    execvp(QEMU, all);
    int number = errno;
    free(all);
    if (number == ENOENT)
        return error_set(error, QEMU ": not found; install QEMU (Debian: qemu-system-x86) or add "
                                     "its folder to PATH [qemu-missing]");
    return error_set(error, QEMU ": cannot run: %s [qemu-run]", strerror(number));
}
