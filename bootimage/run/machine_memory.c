/*
 * Looks into a machine: its memory, as a CPU sees it or as it is, and its screen. QEMU writes them
 * to a file that both have open.
 */
#include "run/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Has QEMU write memory to the file, and reads it from there. */
static bool save_memory(struct machine *machine, const char *command, json_t *arguments,
                        void *bytes, size_t count)
{
    char path[32];
    json_t *value;

    snprintf(path, sizeof(path), "/dev/fd/%d", machine->memory);
    json_object_set_new(arguments, "filename", json_string(path));
    json_object_set_new(arguments, "size", json_integer((json_int_t)count));
    value = machine_command(machine, command, arguments);
    json_decref(value);
    return value && pread(machine->memory, bytes, count, 0) == (ssize_t)count;
}

static const struct machine_page *find_page(struct machine *machine, unsigned int cpu,
                                            uint64_t vaddr)
{
    struct machine_page *page = &machine->pages[vaddr / MACHINE_PAGE_BYTES % MACHINE_CACHED_PAGES];

    if (page->is_valid && page->cpu == cpu && page->vaddr == vaddr)
        return page;
    page->cpu = cpu;
    page->vaddr = vaddr;
    page->is_valid =
        save_memory(machine, "memsave",
                    json_pack("{s:I, s:i}", "val", (json_int_t)vaddr, "cpu-index", (int)cpu),
                    page->bytes, MACHINE_PAGE_BYTES);
    return page->is_valid ? page : NULL;
}

bool machine_read(struct machine *machine, unsigned int cpu, uint64_t vaddr, void *bytes,
                  size_t count)
{
    uint8_t *to = bytes;

    while (count > 0) {
        uint64_t offset = vaddr % MACHINE_PAGE_BYTES;
        size_t part = MACHINE_PAGE_BYTES - (size_t)offset;
        const struct machine_page *page = find_page(machine, cpu, vaddr - offset);

        if (!page)
            return false;
        part = part < count ? part : count;
        memcpy(to, page->bytes + offset, part);
        to += part;
        vaddr += part;
        count -= part;
    }
    return true;
}

bool machine_read_physical(struct machine *machine, uint64_t paddr, void *bytes, size_t count)
{
    return save_memory(machine, "pmemsave", json_pack("{s:I}", "val", (json_int_t)paddr), bytes,
                       count);
}

uint8_t *machine_screenshot(struct machine *machine, const char *format, size_t *bytes)
{
    char path[32];
    struct stat status;
    uint8_t *picture;
    json_t *value;

    snprintf(path, sizeof(path), "/dev/fd/%d", machine->memory);
    value = machine_command(machine, "screendump",
                            json_pack("{s:s, s:s}", "filename", path, "format", format));
    json_decref(value);
    if (!value || fstat(machine->memory, &status) != 0)
        return NULL;
    *bytes = (size_t)status.st_size;
    picture = malloc(*bytes + 1);
    if (picture && pread(machine->memory, picture, *bytes, 0) == (ssize_t)*bytes)
        return picture;
    free(picture);
    return NULL;
}
