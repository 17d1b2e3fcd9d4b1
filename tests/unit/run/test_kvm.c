/*
 * Is KVM of use? Scripts take QEMU's place and do what it does where KVM works and where it does
 * not; whatever it is, no process and no file is left. The probe itself runs in QEMU without KVM.
 */
#include "support.h"

#include "loader_blob.h"
#include "run/kvm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 128
#define ANY_DEVICE "/dev/null"
#define LONG_MS 60000u
#define SHORT_MS 300u

static char folder[PATH_BYTES / 2]; /* TMPDIR has a folder of its own in it */
static int alive[2];                /* a pipe whose second end all processes of a script have */

static char *in_folder(char path[PATH_BYTES], const char *name)
{
    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

static const char *qemu_that(const char *commands)
{
    static char path[PATH_BYTES];
    FILE *script = fopen(in_folder(path, "qemu"), "w");

    assert_non_null(script);
    fprintf(script, "#!/bin/sh\n%s\n", commands);
    assert_int_equal(fclose(script), 0);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static unsigned int now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned int)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static bool exists(const char *name)
{
    char path[PATH_BYTES];

    return access(in_folder(path, name), F_OK) == 0;
}

/* Waits for a short time, as what was killed may take one to end. */
static void assert_nothing_is_left(void)
{
    struct pollfd end = {.fd = alive[0], .events = POLLIN};
    char path[PATH_BYTES];
    DIR *temporary = opendir(in_folder(path, "tmp"));
    size_t count = 0;

    assert_non_null(temporary);
    while (readdir(temporary))
        count++;
    closedir(temporary);
    assert_int_equal(count, 2); /* . and .. */
    close(alive[1]);
    alive[1] = -1;
    assert_int_equal(poll(&end, 1, 10000), 1);
    assert_int_equal(end.revents, POLLHUP);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void assert_works(bool expected, const char *commands)
{
    assert_int_equal(kvm_works(ANY_DEVICE, qemu_that(commands), LONG_MS), expected);
    assert_nothing_is_left();
}

static void qemu_with_the_code_of_the_probe(void **state)
{
    (void)state;
    assert_works(true, "exit 85");
}

static void qemu_that_ends_otherwise(void **state)
{
    static const char *const scripts[] = {"exit 0",        "exit 1",     "exit 84",
                                          "kill -ABRT $$", "kill -9 $$", "exit 127"};

    (void)state;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        assert_false(kvm_works(ANY_DEVICE, qemu_that(scripts[i]), LONG_MS));
    assert_nothing_is_left();
}

static void qemu_that_is_not_there(void **state)
{
    (void)state;
    assert_false(kvm_works(ANY_DEVICE, "/dev/null/qemu", LONG_MS));
    assert_false(kvm_works(ANY_DEVICE, "", LONG_MS));
    assert_nothing_is_left();
}

static void qemu_that_hangs(void **state)
{
    const unsigned int start = now_ms();

    (void)state;
    assert_false(kvm_works(ANY_DEVICE, qemu_that("exec sleep 60"), SHORT_MS));
    assert_in_range(now_ms() - start, SHORT_MS, 20000);
    assert_nothing_is_left();
}

static void qemu_that_hangs_behind_a_script(void **state)
{
    (void)state;
    assert_false(
        kvm_works(ANY_DEVICE, qemu_that("trap '' TERM INT; sleep 60; sleep 60"), SHORT_MS));
    assert_nothing_is_left();
}

static void a_script_that_leaves_qemu_behind(void **state)
{
    (void)state;
    assert_works(true, "sleep 60 & exit 85");
}

static void no_device_no_qemu(void **state)
{
    char device[PATH_BYTES], command[2 * PATH_BYTES];

    (void)state;
    snprintf(command, sizeof(command), ": > %s/started; exit 85", folder);
    const char *qemu = qemu_that(command);
    assert_false(kvm_works(in_folder(device, "missing"), qemu, LONG_MS));
    assert_false(kvm_works("/dev/null/kvm", qemu, LONG_MS));
    assert_false(kvm_works("/tmp", qemu, LONG_MS));
    assert_false(exists("started"));
    assert_nothing_is_left();
}

static void no_room_for_the_probe(void **state)
{
    char path[PATH_BYTES];

    (void)state;
    setenv("TMPDIR", "/dev/null", 1);
    assert_false(kvm_works(ANY_DEVICE, qemu_that("exit 85"), LONG_MS));
    setenv("TMPDIR", in_folder(path, "tmp"), 1);
    assert_nothing_is_left();
}

static void what_qemu_is_given(void **state)
{
    char path[PATH_BYTES], command[4 * PATH_BYTES], line[1024] = "";
    uint8_t disk[1024];

    (void)state;
    snprintf(command, sizeof(command),
             "echo \"$@\" > %s/arguments; for last; do :; done; cat \"${last##*=}\" > %s/disk\n"
             "cat > %s/input; exit 85",
             folder, folder, folder);
    const int input = dup(STDIN_FILENO);
    dup2(alive[0], STDIN_FILENO); /* which cat would wait for */
    assert_true(kvm_works(ANY_DEVICE, qemu_that(command), LONG_MS));
    dup2(input, STDIN_FILENO);
    close(input);
    FILE *file = fopen(in_folder(path, "arguments"), "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_ptr_equal(strstr(line, "-accel kvm "), line);
    file = fopen(in_folder(path, "disk"), "r");
    assert_non_null(file);
    assert_int_equal(fread(disk, 1, sizeof(disk), file), 512);
    fclose(file);
    assert_int_equal(kvm_probe_blob_bytes, 512);
    assert_memory_equal(disk, kvm_probe_blob, 512);
    assert_true(exists("input"));
    assert_nothing_is_left();
}

static void nothing_is_said(void **state)
{
    int said = support_temporary_file(), output = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO);

    (void)state;
    dup2(said, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);
    bool works = kvm_works(ANY_DEVICE, qemu_that("echo out; echo error >&2; exit 85"), LONG_MS);
    bool missing = kvm_works(ANY_DEVICE, "/dev/null/qemu", LONG_MS);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    close(output);
    close(errors);
    assert_true(works && !missing);
    assert_int_equal(lseek(said, 0, SEEK_END), 0);
    close(said);
    assert_nothing_is_left();
}

/* Neither here nor in QEMU. */
static void signals_are_as_before(void **state)
{
    sigset_t blocked, before, after;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_SETMASK, &blocked, &before);
    bool works = kvm_works(ANY_DEVICE, qemu_that("kill -USR1 $$; exit 85"), LONG_MS);
    bool ends = kvm_works(ANY_DEVICE, qemu_that("kill -TERM $$; exit 85"), LONG_MS);
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(works && !ends);
    for (int i = 1; i < SIGRTMAX; i++)
        assert_int_equal(sigismember(&after, i), i == SIGUSR1);
    assert_nothing_is_left();
}

/* The process that tries is ended by a signal, which must not wait, and must end QEMU: if it is not
   SIGKILL, one behind a script, too. */
static void signals_end_both(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL};
    char path[PATH_BYTES];
    const unsigned int start = now_ms();

    (void)state;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        char command[2 * PATH_BYTES];
        int status;

        snprintf(command, sizeof(command), ": > %s/started; %s sleep 60", folder,
                 signals[i] == SIGKILL ? "exec" : "sleep 60;");
        const char *qemu = qemu_that(command);
        pid_t child = fork();

        if (child == 0) {
            kvm_works(ANY_DEVICE, qemu, LONG_MS);
            _exit(0);
        }
        while (!exists("started"))
            usleep(1000);
        unlink(in_folder(path, "started"));
        kill(child, signals[i]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
    }
    assert_nothing_is_left();
    assert_in_range(now_ms() - start, 0, 30000);
}

/* Without KVM, but with the rest of the command as it is. */
static void the_probe_runs_in_qemu(void **state)
{
    (void)state;
    assert_works(true, "shift 2; exec qemu-system-x86_64 -accel tcg \"$@\"");
}

/* Here KVM works or does not. */
static void this_machine(void **state)
{
    const unsigned int start = now_ms();

    (void)state;
    print_message("KVM of this machine: %s\n",
                  kvm_works(KVM_DEVICE, "qemu-system-x86_64", KVM_LIMIT_MS) ? "works"
                                                                            : "is of no use");
    assert_in_range(now_ms() - start, 0, KVM_LIMIT_MS + 20000);
    assert_nothing_is_left();
}

static int set_up(void **state)
{
    const char *base = getenv("TMPDIR");
    char path[PATH_BYTES];

    *state = base ? strdup(base) : NULL;
    snprintf(folder, sizeof(folder), "%s/bootimage-kvm-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(in_folder(path, "tmp"), 0700), 0);
    assert_int_equal(setenv("TMPDIR", path, 1), 0);
    return pipe(alive);
}

static int tear_down(void **state)
{
    static const char *const names[] = {"qemu", "started", "arguments", "disk", "input"};
    char path[PATH_BYTES];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(in_folder(path, names[i]));
    rmdir(in_folder(path, "tmp"));
    if (*state)
        setenv("TMPDIR", *state, 1);
    else
        unsetenv("TMPDIR");
    free(*state);
    close(alive[0]);
    if (alive[1] >= 0)
        close(alive[1]);
    return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(qemu_with_the_code_of_the_probe),
        TEST(qemu_that_ends_otherwise),
        TEST(qemu_that_is_not_there),
        TEST(qemu_that_hangs),
        TEST(qemu_that_hangs_behind_a_script),
        TEST(a_script_that_leaves_qemu_behind),
        TEST(no_device_no_qemu),
        TEST(no_room_for_the_probe),
        TEST(what_qemu_is_given),
        TEST(nothing_is_said),
        TEST(signals_are_as_before),
        TEST(signals_end_both),
        TEST(the_probe_runs_in_qemu),
        TEST(this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
