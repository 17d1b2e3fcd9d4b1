/*
 * The script for gdb. The breakpoint is the hardware's, as the kernel is not in memory yet when gdb
 * comes: one in software would be written over when it is loaded.
 */
#include "run/gdb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* gdb's quotes, in which a backslash is for the next character. */
static void print_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void print_script(FILE *file, const struct gdb_target *target)
{
    fprintf(file,
            "set pagination off\n"
            "set confirm off\n"
            "set architecture %s\n"
            "target remote 127.0.0.1:%u\n",
            target->is_64_bit ? "i386:x86-64" : "i386", (unsigned int)target->port);
    if (target->symbols) {
        fputs("symbol-file ", file);
        if (target->slide)
            fprintf(file, "-o 0x%" PRIx64 " ", target->slide);
        print_quoted(file, target->symbols);
        fputc('\n', file);
    }
    fprintf(file, "hbreak *0x%" PRIx64 "\ncontinue\n", target->entry_vaddr);
}

char *gdb_write(const struct gdb_target *target, struct error *error)
{
    const char *folder = getenv("TMPDIR") && *getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path;
    int fd;
    FILE *file;
    bool failed;

    if (asprintf(&path, "%s/bootimage-gdb-XXXXXX", folder) < 0) {
        error_out_of_memory(error);
        return NULL;
    }
    fd = mkostemp(path, 0);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file)
        print_script(file, target);
    failed = !file || ferror(file);
    if (file && fclose(file) != 0)
        failed = true;
    if (!failed)
        return path;
    error_set(error,
              "%s: cannot write a script for gdb: %s; name another folder with TMPDIR "
              "[gdb-script]",
              folder, strerror(errno));
    if (fd >= 0)
        unlink(path);
    free(path);
    return NULL;
}

void gdb_remove(char *path)
{
    if (path)
        unlink(path);
    free(path);
}
