/*
 * See calls_kernel.h.
 */
#include "calls_kernel.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool calls_open(struct calls_kernel *calls, const char *name)
{
    struct error error = {0};

    /* cppcheck-suppress ctuuninitvar */
    snprintf(calls->path, sizeof(calls->path), "%s/calls-%s.elf", getenv("CALLS"), name);
    if (access(calls->path, R_OK) != 0)
        return false;
    if (!kernel_open(&calls->kernel, calls->path, &error))
        fail_msg("%s", error.text);
    assert_true(debuginfo_open(&calls->debuginfo, &calls->kernel, &error));
    return true;
}

void calls_close(struct calls_kernel *calls)
{
    debuginfo_close(calls->debuginfo);
    kernel_close(&calls->kernel);
}

static bool find_symbol(Elf *elf, Elf_Scn *section, const char *name, uint64_t *value)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Shdr header;
    GElf_Sym symbol;

    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
        return false;
    for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
        *value = symbol.st_value;
        if (strcmp(elf_strptr(elf, header.sh_link, symbol.st_name), name) == 0)
            return true;
    }
    return false;
}

uint64_t calls_symbol(const struct calls_kernel *calls, const char *name)
{
    Elf_Scn *section = NULL;
    uint64_t value;

    while ((section = elf_nextscn(calls->kernel.elf, section))) {
        if (find_symbol(calls->kernel.elf, section, name, &value))
            return value;
    }
    fail_msg("%s has no symbol %s", calls->path, name);
    return 0;
}

int calls_line(const char *file, const char *text)
{
    char path[CALLS_PATH_BYTES];
    char line[256];
    int found = 0;

    snprintf(path, sizeof(path), "%s/%s", getenv("CALLS_SOURCES"), file);
    FILE *source = fopen(path, "r");
    assert_non_null(source);
    for (int i = 1; fgets(line, sizeof(line), source); i++) {
        if (!strstr(line, text))
            continue;
        assert_int_equal(found, 0);
        found = i;
    }
    fclose(source);
    assert_int_not_equal(found, 0);
    return found;
}
