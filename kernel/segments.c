/*
 * The kernel's own GDT and task segment. Long mode ignores the bases and limits of code and data;
 * what counts are the four stacks that the task segment names: an exception that a broken stack
 * may cause, or that may come at any time, must not need the current one. exceptions.c says which
 * vector runs on which. [Intel SDM vol. 3 §8.2.3 "TSS Descriptor in 64-bit mode", §8.7]
 */
#include "segments.h"

#include "cpu.h"

#include <stddef.h>
#include <stdint.h>

#define STACK_BYTES 8192

/* Descriptors, with the accessed bit already set: present, ring 0, 4 KiB units up to 4 GiB. */
#define DESCRIPTOR_CODE_64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull
/* A task segment: its base and limit come in between. */
#define DESCRIPTOR_TASK 0x0000890000000000ull

struct segments_task {
    uint32_t reserved0;
    uint64_t ring_stacks[3]; /* 4: RSP for a change to rings 0 to 2 */
    uint64_t reserved1;
    uint64_t interrupt_stacks[7]; /* 36: RSP, number 1 first */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t port_map; /* 102: offset of the port permissions; at the end there are none */
} __attribute__((packed));

_Static_assert(offsetof(struct segments_task, interrupt_stacks) == 36, "interrupt_stacks");
_Static_assert(sizeof(struct segments_task) == 104, "struct segments_task");

/* Written to by LTR, so not constant. */
static uint64_t segments_gdt[] = {
    [SEGMENT_CODE / 8] = DESCRIPTOR_CODE_64,
    [SEGMENT_DATA / 8] = DESCRIPTOR_DATA,
    [SEGMENT_TASK / 8] = DESCRIPTOR_TASK,
    [SEGMENT_TASK / 8 + 1] = 0,
};
static struct segments_task segments_task = {.port_map = sizeof(struct segments_task)};
static _Alignas(16) uint8_t segments_stacks[SEGMENTS_STACK_COUNT - 1][STACK_BYTES];

/* Loads the GDT, CS, SS, DS and ES, and clears FS and GS; in exceptions.asm. */
void segments_load(const struct cpu_table *gdt, uint64_t code, uint64_t data);

void segments_init(void)
{
    const struct cpu_table gdt = {sizeof(segments_gdt) - 1, (uintptr_t)segments_gdt};
    uint64_t task = (uintptr_t)&segments_task;

    for (unsigned int i = 1; i < SEGMENTS_STACK_COUNT; i++)
        segments_task.interrupt_stacks[i - 1] = (uintptr_t)segments_stacks[i - 1] + STACK_BYTES;

    segments_gdt[SEGMENT_TASK / 8] = DESCRIPTOR_TASK | (sizeof(segments_task) - 1) |
                                     (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56;
    segments_gdt[SEGMENT_TASK / 8 + 1] = task >> 32;

    segments_load(&gdt, SEGMENT_CODE, SEGMENT_DATA);
    cpu_load_task(SEGMENT_TASK);
}
