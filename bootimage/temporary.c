/*
 * Beside all steps: a place for what does not fit into memory, such as the runner's image and a
 * kernel that was compressed.
 */
#include "temporary.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int temporary_file(struct error *error)
{
    const char *folder = getenv("TMPDIR") && *getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    size_t bytes = strlen(folder) + sizeof("/bootimage-XXXXXX");
    char *path = malloc(bytes);
    sigset_t all;
    sigset_t before;

    if (!path) {
        error_out_of_memory(error);
        return -1;
    }
    snprintf(path, bytes, "%s/bootimage-XXXXXX", folder);
    /* Between its creation and its removal, no signal. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int fd = mkstemp(path);
    int number = errno;
    if (fd >= 0)
        unlink(path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(path);
    if (fd < 0)
        error_set(error,
                  "%s: cannot create a temporary file: %s; name another folder with TMPDIR "
                  "[temporary-file]",
                  folder, strerror(number));
    return fd;
}
