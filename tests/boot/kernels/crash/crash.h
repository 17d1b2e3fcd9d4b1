/*
 * What the files of the crash kernels share: the words that a command line is made of, and ports.
 *
 * Each file brings a table of verbs; crash.c obeys them. A line that goes wrong carries a comment
 * "CRASH: name", by which the tests find the function and the line that a report must name. Any
 * function may be in a call stack that a test looks at: FRAME keeps the compiler from merging it
 * with others.
 */
#ifndef TESTS_BOOT_KERNELS_CRASH_CRASH_H
#define TESTS_BOOT_KERNELS_CRASH_CRASH_H

#include <bootimage/bootinfo.h>

#include <stddef.h>
#include <stdint.h>

#define FRAME __attribute__((noipa))

/* Mapped nowhere, by the contract. */
#define UNMAPPED_VADDR 0xffffc900deadb000

struct verb {
    const char *name;
    void (*run)(const char *argument); /* ends with a ';' or a 0 */
};

/* Each ends with a verb without a name. */
extern const struct verb faults_verbs[], machine_verbs[], interrupts_verbs[];

/* What the kernel was entered with. */
extern const struct bootinfo *crash_info;

static inline void write_port(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void write_port_16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t read_port(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

#endif
