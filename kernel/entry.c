/*
 * The entry point of the kernel. The loader has done what usually takes assembly: long mode, a
 * stack of 64 KiB as after a call, cleared .bss and the boot information in RDI (bootinfo.h), so
 * this is an ordinary function. It makes mistakes visible, checks the contract, and goes on to
 * kernel_main().
 */
#include "console.h"
#include "cpu.h"
#include "exceptions.h"
#include "kernel.h"
#include "panic.h"

#include <stdint.h>

/* The major half of a version of the contract. */
static uint32_t entry_major(uint32_t version)
{
    return version >> 16;
}

static void entry_check(const struct bootinfo *info)
{
    if (info->magic != BOOTINFO_MAGIC)
        panic("no boot information at 0x%016lx: its magic is 0x%016lx, not 0x%016lx; this kernel "
              "needs the bootimage loader",
              (uintptr_t)info, info->magic, (uint64_t)BOOTINFO_MAGIC);
    if (entry_major(info->version) != entry_major(BOOTINFO_VERSION) ||
        info->version < BOOTINFO_VERSION)
        panic("boot information of version 0x%08x; this kernel needs 0x%08x or a newer minor",
              info->version, BOOTINFO_VERSION);
    if (info->size_bytes < sizeof(*info))
        panic("boot information of %u bytes; version 0x%08x has %zu", info->size_bytes,
              info->version, sizeof(*info));
}

void _start(const struct bootinfo *info)
{
    exceptions_init();
    entry_check(info);
    console_start(info);
    exceptions_set_stack(info->stack_top - info->stack_bytes);
    kernel_main(info);
    cpu_halt();
}
