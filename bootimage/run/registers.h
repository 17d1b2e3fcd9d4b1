/*
 * The registers of one CPU, as QEMU prints them: in its monitor ("info registers") and, at each
 * exception, in its log ("-d int"). Both have one format.
 */
#ifndef BOOTIMAGE_RUN_REGISTERS_H
#define BOOTIMAGE_RUN_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As instructions encode them [Intel SDM vol. 2 table 2-2]. */
enum registers_general {
    REGISTERS_RAX,
    REGISTERS_RCX,
    REGISTERS_RDX,
    REGISTERS_RBX,
    REGISTERS_RSP,
    REGISTERS_RBP,
    REGISTERS_RSI,
    REGISTERS_RDI,
    REGISTERS_R8, /* R9 to R15 follow */
    REGISTERS_GENERAL_COUNT = 16,
};

struct registers {
    uint64_t general[REGISTERS_GENERAL_COUNT];
    uint64_t rip; /* the offset in CS, which has a base in 16-bit code */
    uint64_t rflags;
    uint16_t cs, ss, ds, es, fs, gs;
    uint64_t cs_base, fs_base, gs_base;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t gdt, idt; /* addresses of the tables */
    uint32_t idt_limit;
    unsigned int bits; /* of the code: 16, 32 or 64 */
    bool is_halted;    /* by HLT */
};

/* The lower-case name of a general register in code of so many bits: "rax", "eax" (16-bit code is
   shown with 32-bit names). */
const char *registers_name(enum registers_general number, unsigned int bits);

/* text need not end with a 0. False if a register is missing that every x86 CPU has. */
bool registers_parse(struct registers *registers, const char *text, size_t bytes);

/* The next CPU of what "info registers -a" prints, which heads each with "CPU#" and its number;
   without such a line, the text is of CPU 0. Moves *text behind it. A CPU whose registers are not
   complete is left out. False at the end. */
bool registers_next(struct registers *registers, unsigned int *cpu, const char **text);

#endif
