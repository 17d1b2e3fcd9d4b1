/*
 * Before a run with --accel=auto: a guest of our own (kvm_probe.asm) tries what KVM is worth. It is
 * another process that tries, as a KVM that does not work may hang or abort QEMU, and it has a
 * process group of its own, as QEMU may be started by a script.
 */
#include "run/kvm.h"

#include "error.h"
#include "loader_blob.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* isa-debug-exit makes of the probe's EXIT_CODE a status that QEMU has for nothing else. */
#define PROBE_CODE 0x2A
#define PROBE_STATUS (PROBE_CODE << 1 | 1)

static int probe_disk(void)
{
    struct error error = {0};
    int fd = temporary_file(&error);

    error_free(&error);
    if (fd >= 0 &&
        write(fd, kvm_probe_blob, kvm_probe_blob_bytes) != (ssize_t)kvm_probe_blob_bytes) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* In the new process. It ends when the one that started it does. */
static _Noreturn void become_qemu(const char *qemu, int disk, pid_t parent, const sigset_t *mask)
{
    char drive[64];
    int null = open("/dev/null", O_RDWR);

    snprintf(drive, sizeof(drive), "format=raw,file=/dev/fd/%d", disk);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0 && getppid() == parent) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        execlp(qemu, qemu, "-accel", "kvm", "-machine", "pc", "-m", "32", "-no-user-config",
               "-nodefaults", "-display", "none", "-no-reboot", "-device",
               "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", drive, (char *)NULL);
    }
    _exit(127);
}

static struct timespec time_until(const struct timespec *end)
{
    struct timespec now, left;

    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec = end->tv_sec - now.tv_sec;
    left.tv_nsec = end->tv_nsec - now.tv_nsec;
    if (left.tv_nsec < 0) {
        left.tv_nsec += 1000000000;
        left.tv_sec--;
    }
    if (left.tv_sec < 0)
        left = (struct timespec){.tv_sec = 0};
    return left;
}

static bool has_ended(pid_t child)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == child;
}

/* Until the child ends, the time is over, or one of the signals comes, which are all blocked: that
   is then pending again. */
static void wait_for(pid_t child, unsigned int limit_ms, const sigset_t *signals)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += limit_ms / 1000;
    end.tv_nsec += limit_ms % 1000 * 1000000;
    while (!has_ended(child)) {
        struct timespec left = time_until(&end);
        int number = sigtimedwait(signals, NULL, &left);

        if (number > 0 && number != SIGCHLD)
            raise(number);
        if (number != SIGCHLD && !(number < 0 && errno == EINTR))
            return;
    }
}

bool kvm_works(const char *device, const char *qemu, unsigned int limit_ms)
{
    static const int watched[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    const pid_t parent = getpid();
    int kvm = open(device, O_RDWR | O_CLOEXEC), status = 0;
    int disk = kvm >= 0 ? probe_disk() : -1;
    sigset_t signals, before;

    if (kvm >= 0)
        close(kvm);
    if (disk < 0)
        return false;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        sigaddset(&signals, watched[i]);
    sigprocmask(SIG_BLOCK, &signals, &before);
    pid_t child = fork();
    if (child == 0)
        become_qemu(qemu, disk, parent, &before);
    close(disk);
    if (child > 0) {
        setpgid(child, child); /* whoever comes first */
        wait_for(child, limit_ms, &signals);
        kill(-child, SIGKILL);
        waitpid(child, &status, 0);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return WIFEXITED(status) && WEXITSTATUS(status) == PROBE_STATUS;
}
