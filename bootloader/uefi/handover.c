/*
 * From the firmware's address space to the kernel's there is one in between, the loader's own: the
 * firmware's may have the hand-over page not executable or memory not writable, and it lies in
 * memory that is free once the firmware was left.
 */
#include "../core/cpu.h"
#include "../core/memory_map.h"
#include "../core/paging.h"
#include "uefi.h"

#define FOUR_GIB 0x100000000ull
#define LARGE_PAGE_BYTES 0x200000ull
#define CR4_PGE (1ull << 7)
#define CR4_LA57 (1ull << 12)
/* [UEFI §2.3.4 "x64 Platforms"]: 128 KiB or more; what the loader needs of it is much less. */
#define STACK_BYTES 0x20000ull

static struct paging tables;

static uint64_t read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* One to one, in large pages. */
static void map(uint64_t start, uint64_t end)
{
    start &= ~(LARGE_PAGE_BYTES - 1);
    end = (end + LARGE_PAGE_BYTES - 1) & ~(LARGE_PAGE_BYTES - 1);
    paging_map(&tables, start, start, end - start, PAGING_WRITABLE | PAGING_EXECUTABLE);
}

void handover_prepare(struct memory_map *map_of_memory)
{
    const struct cpu_features cpu = cpu_features();
    const uint64_t image = (uintptr_t)uefi.loaded->ImageBase;
    const uint64_t stack = (uintptr_t)__builtin_frame_address(0);

    paging_init(&tables, map_of_memory, &cpu, read_cr4() & CR4_LA57 ? 5 : 4);
    map(0, FOUR_GIB);
    /* The firmware may have put these higher. */
    map(image, image + uefi.loaded->ImageSize);
    map(stack - STACK_BYTES, stack + STACK_BYTES);
}

void handover_switch(void)
{
    write_cr4(read_cr4() & ~CR4_PGE); /* pages marked global would outlive the switch */
    __asm__ volatile("mov %0, %%cr3" : : "r"(tables.root_paddr) : "memory");
}
