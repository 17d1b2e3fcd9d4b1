/*
 * Where profile.c and report.c get the boot information: from QEMU, or, as isa-debug-exit ends QEMU
 * with all that it has, from the file that was the guest's memory.
 */
#include "run/profile_find.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of its RAM below 4 GiB QEMU's machines have all, or from some size on so much. */
#define PC_LIMIT 0xe0000000u
#define PC_LOW_BYTES 0xc0000000u
#define Q35_LIMIT 0xb0000000u
#define Q35_LOW_BYTES 0x80000000u

static bool read_machine(void *context, uint64_t paddr, void *bytes, size_t count)
{
    return machine_read_physical(context, paddr, bytes, count);
}

static bool read_kept(void *context, uint64_t paddr, void *bytes, size_t count)
{
    const struct machine *machine = context;

    return pread(machine->ram, bytes, count, (off_t)paddr) == (ssize_t)count;
}

static uint64_t memory_bytes(struct machine *machine)
{
    struct stat status;
    json_t *sizes;
    uint64_t bytes;

    if (machine->ram >= 0)
        return fstat(machine->ram, &status) == 0 ? (uint64_t)status.st_size : 0;
    sizes = machine_command(machine, "query-memory-size-summary", NULL);
    bytes = (uint64_t)json_integer_value(json_object_get(sizes, "base-memory"));
    json_decref(sizes);
    return bytes;
}

static uint64_t low_bytes(const struct machine *machine, uint64_t bytes)
{
    if (machine->is_q35)
        return bytes < Q35_LIMIT ? bytes : Q35_LOW_BYTES;
    return bytes < PC_LIMIT ? bytes : PC_LOW_BYTES;
}

bool machine_find_bootinfo(struct machine *machine, struct found_bootinfo *found)
{
    const struct guest_memory memory = {
        .read = machine->ram >= 0 ? read_kept : read_machine,
        .context = machine,
        .end_paddr = low_bytes(machine, memory_bytes(machine)),
    };

    return bootinfo_find(&memory, found);
}

bool profile_find(struct profile *profile, struct machine *machine, double ticks_per_ms)
{
    struct found_bootinfo found;

    return machine_find_bootinfo(machine, &found) &&
           profile_fill(profile, &found.info, ticks_per_ms);
}
