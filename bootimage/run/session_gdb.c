/*
 * A run with a debugger: says what to type, and leaves it to gdb when the guest begins.
 */
#include "run/session.h"

#include "run/gdb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that gdb can open: the kernel's own, or what was decompressed or taken out of the image,
   which has no name but here. */
static char *symbols_path(const struct session *session)
{
    const struct kernel *kernel = session->setup->kernel;
    char *path = NULL;

    if (!kernel)
        return NULL;
    if (kernel->file.fd < 0 && strncmp(kernel->path, "/dev/fd/", 8) != 0)
        return realpath(kernel->path, NULL);
    return asprintf(&path, "/proc/%d/fd/%d", (int)getpid(), kernel->fd) < 0 ? NULL : path;
}

bool session_open_gdb(struct session *session, struct error *error)
{
    const struct plan_view plan = session->setup->plan;
    const struct plan_protocol *protocol =
        (const void *)plan_reader_find(plan, NULL, PLAN_PROTOCOL);
    char *symbols = symbols_path(session);
    const struct gdb_target target = {
        .symbols = symbols,
        .slide = protocol->slide,
        .entry_vaddr = protocol->entry_vaddr,
        .is_64_bit =
            protocol->protocol == PLAN_PROTOCOL_PLAIN || protocol->protocol == PLAN_PROTOCOL_LIMINE,
        .port = (uint16_t)session->options->gdb_port,
    };

    session->gdb_script = gdb_write(&target, error);
    free(symbols);
    if (session->gdb_script)
        fprintf(session->setup->errors, "bootimage: the machine waits for: gdb -x %s\n",
                session->gdb_script);
    return session->gdb_script;
}
