/*
 * See support.h.
 */
#include "support.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int support_temporary_file(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];

    snprintf(path, sizeof(path), "%s/bootimage-unit-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

struct input support_input(int fd, char path[SUPPORT_PATH_BYTES])
{
    struct stat status;

    snprintf(path, SUPPORT_PATH_BYTES, "/dev/fd/%d", fd);
    assert_int_equal(fstat(fd, &status), 0);
    return input_of(path, &status);
}

struct kernel support_kernel(struct kernel_segment *segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        segments[i].index = (uint32_t)i;
    return (struct kernel){
        .path = "kernel",
        .class = ELFCLASS64,
        .machine = EM_X86_64,
        .type = ET_EXEC,
        .entry_vaddr = segments[0].vaddr,
        .segments = segments,
        .segment_count = count,
        .fd = -1,
    };
}

void support_assert_error(struct error *error, const char *text)
{
    assert_non_null(error->text);
    assert_string_equal(error->text, text);
    error_free(error);
}
