/*
 * The answers to the requests of a kernel of the Limine boot protocol. Structures are those of
 * [Limine "Feature List"]; pointers in them lead to the map of all memory.
 */
#ifndef BOOTLOADER_CORE_LIMINE_H
#define BOOTLOADER_CORE_LIMINE_H

#include <bootimage/image.h>

#include <stdbool.h>

struct loader;
struct bootinfo_cpu;

#define LIMINE_FEATURES (PLAN_LIMINE_PERFORMANCE + 1)

struct limine_memmap_entry {
    uint64_t base;   /* 0 */
    uint64_t length; /* 8 */
    uint64_t type;   /* 16: LIMINE_MEMMAP_ */
};

#define LIMINE_MEMMAP_USABLE 0u
#define LIMINE_MEMMAP_RESERVED 1u
#define LIMINE_MEMMAP_ACPI_RECLAIMABLE 2u
#define LIMINE_MEMMAP_ACPI_NVS 3u
#define LIMINE_MEMMAP_BAD_MEMORY 4u
#define LIMINE_MEMMAP_BOOTLOADER_RECLAIMABLE 5u
#define LIMINE_MEMMAP_EXECUTABLE_AND_MODULES 6u
#define LIMINE_MEMMAP_FRAMEBUFFER 7u

struct limine_mp_info {
    uint32_t processor_id;          /* 0 */
    uint32_t lapic_id;              /* 4 */
    uint64_t reserved;              /* 8 */
    volatile uint64_t goto_address; /* 16 */
    uint64_t extra_argument;        /* 24 */
};

/* What is asked for, and what is filled in when the firmware has been left. */
struct limine {
    uint32_t base_revision;
    bool wants_x2apic;
    uint64_t *responses[LIMINE_FEATURES]; /* where the pointer to each goes; NULL: not asked */
    /* Memory that answers are put into. */
    uint8_t *block;
    uint64_t block_bytes, used;
    uint64_t *memmap_pointers;
    struct limine_memmap_entry *memmap_entries;
    uint64_t memmap_most;
    uint64_t *mp_pointers;
    struct limine_mp_info *mp_infos;
    uint64_t *performance; /* the whole response */
};

/* Find the requests in the loaded kernel, by the plan. */
void limine_start(struct loader *loader);

/* The type of memory that a kernel is told for one of enum bootinfo_memory. */
uint64_t limine_memory_type(uint32_t type);

/* Answer all that is known while the firmware is there, and take memory for the rest. */
void limine_answer(struct loader *loader);

/* Answer the rest: the map is final, and other CPUs are parked. */
void limine_answer_last(struct loader *loader);

#endif
