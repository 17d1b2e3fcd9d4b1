/*
 * Last step on the host: the image takes its name only when all of it is on the disk.
 *
 * A rename replaces whatever has the name, even a device node, and breaks a symbolic link; so
 * the target is looked at first. Signals that would end the program remove the temporary file.
 */
#include "atomic_file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many symbolic links as Linux follows. */
#define MAXIMUM_LINKS 40

/* The only global state of the tool: a signal handler can be told nothing else. */
static char *volatile pending;
static const int fatal_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
#define FATAL_SIGNAL_COUNT (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

static void remove_pending(int number)
{
    if (pending)
        unlink(pending);
    /* SA_RESETHAND put the default back: the signal now does what it always does. */
    raise(number);
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = remove_pending, .sa_flags = (int)SA_RESETHAND};
    struct sigaction old;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_SIGNAL_COUNT; i++) {
        /* Not what the caller chose to ignore, as nohup does. */
        if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(fatal_signals[i], &action, NULL);
    }
}

/* The folder of path with its '/' at the end, or "" for the working directory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

static char *join(const char *folder, const char *name)
{
    char *path = malloc(strlen(folder) + strlen(name) + 1);

    if (path)
        strcat(strcpy(path, folder), name);
    return path;
}

/* Where a symbolic link leads, itself perhaps a link; relative to the folder of the link. */
static char *read_link(const char *path)
{
    char target[4096];
    ssize_t bytes = readlink(path, target, sizeof(target) - 1);

    if (bytes < 0)
        return NULL;
    target[bytes] = 0;
    if (target[0] == '/')
        return strdup(target);
    char *folder = folder_of(path);
    char *joined = folder ? join(folder, target) : NULL;
    free(folder);
    return joined;
}

/* Follows path to what is no symbolic link, also where nothing is there yet, for which realpath()
   does not serve. */
static char *follow_links(const char *path, struct error *error)
{
    char *target = strdup(path);
    struct stat status;

    for (int i = 0; target && i < MAXIMUM_LINKS; i++) {
        if (lstat(target, &status) != 0 || !S_ISLNK(status.st_mode))
            return target;
        char *next = read_link(target);
        free(target);
        target = next;
    }
    if (target)
        error_set(error,
                  "%s: leads from one symbolic link to the next without end; choose another "
                  "place with -o [symlink-loop]",
                  path);
    else
        error_out_of_memory(error);
    free(target);
    return NULL;
}

/* A file behind /dev/stdout, say: who reads it has it open, and would not get the image. */
static bool is_standard_stream(const struct stat *status)
{
    struct stat stream;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fstat(fd, &stream) == 0 && stream.st_dev == status->st_dev &&
            stream.st_ino == status->st_ino)
            return true;
    }
    return false;
}

static bool check_existing(const char *path, const struct stat *status, const char *target,
                           const struct atomic_file_source *sources, size_t source_count,
                           struct error *error)
{
    if (S_ISDIR(status->st_mode))
        return error_set(error, "%s: is a folder; name a file in it with -o [output-folder]", path);
    if (!S_ISREG(status->st_mode))
        return error_set(error,
                         "%s: is not a regular file, and is left alone; write to a file with -o "
                         "and copy that [output-not-regular]",
                         path);
    if (is_standard_stream(status))
        return error_set(error,
                         "%s: is open as standard input, output or error; name another file with "
                         "-o [output-open]",
                         path);
    for (size_t i = 0; i < source_count; i++) {
        if (status->st_dev == sources[i].device && status->st_ino == sources[i].inode)
            return error_set(error,
                             "%s: is %s itself; choose another place with -o [output-is-input]",
                             path, sources[i].what);
    }
    if (access(target, W_OK) != 0)
        return error_set(error,
                         "%s: cannot write: %s; change its rights, or choose another place "
                         "with -o [output-rights]",
                         path, strerror(errno));
    return true;
}

/* The mode that the file shall have: its own if it exists, else what umask leaves. */
static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static bool create_temporary(struct atomic_file *file, const char *path, mode_t mode,
                             struct error *error)
{
    sigset_t all;
    sigset_t before;

    /* Between the creation and the note of it, no signal. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    file->fd = mkstemp(file->temporary);
    int number = errno;
    if (file->fd >= 0)
        pending = file->temporary;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (file->fd < 0)
        return error_set(error, "%s: cannot create: %s; %s [output-create]", path, strerror(number),
                         number == ENOENT ? "create the folder first, or choose another with -o"
                                          : "choose another place with -o");
    if (fchmod(file->fd, mode) != 0)
        return error_set(error,
                         "%s: cannot set the mode: %s; choose another place with -o [output-mode]",
                         path, strerror(errno));
    return true;
}

bool atomic_file_open(struct atomic_file *file, const char *path,
                      const struct atomic_file_source *sources, size_t source_count,
                      struct error *error)
{
    struct stat status;
    mode_t mode;

    *file = (struct atomic_file){.fd = -1, .target = follow_links(path, error)};
    if (!file->target)
        return false;
    if (lstat(file->target, &status) == 0) {
        if (!check_existing(path, &status, file->target, sources, source_count, error))
            goto failed;
        mode = status.st_mode & 0777;
    } else if (errno == ENOENT) {
        mode = new_file_mode();
    } else {
        error_set(error, "%s: cannot create: %s; choose another place with -o [output-create]",
                  path, strerror(errno));
        goto failed;
    }
    char *folder = folder_of(file->target);
    file->temporary = folder ? join(folder, ".bootimage-XXXXXX") : NULL;
    free(folder);
    if (!file->temporary) {
        error_out_of_memory(error);
        goto failed;
    }
    handle_signals();
    if (create_temporary(file, path, mode, error))
        return true;
failed:
    atomic_file_abandon(file);
    return false;
}

static bool flush_and_rename(struct atomic_file *file, struct error *error)
{
    int fd = file->fd;

    /* Some file systems cannot flush a file, and say so. */
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOSYS)
        return error_set(error,
                         "%s: cannot flush to the disk: %s; make room, or choose another "
                         "place with -o [output-flush]",
                         file->target, strerror(errno));
    file->fd = -1;
    if (close(fd) != 0)
        return error_set(
            error,
            "%s: cannot close: %s; make room, or choose another place with -o [output-close]",
            file->target, strerror(errno));
    if (rename(file->temporary, file->target) != 0)
        return error_set(
            error, "%s: cannot rename to it: %s; choose another place with -o [output-rename]",
            file->target, strerror(errno));
    return true;
}

bool atomic_file_commit(struct atomic_file *file, struct error *error)
{
    bool done = flush_and_rename(file, error);

    if (done)
        pending = NULL;
    atomic_file_abandon(file);
    return done;
}

void atomic_file_abandon(struct atomic_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (pending)
        unlink(pending);
    pending = NULL;
    free(file->target);
    free(file->temporary);
    *file = (struct atomic_file){.fd = -1};
}
