/*
 * A kernel for boot tests: it does what its command line, `fault=<name>`, asks for, after it said
 * on the console which report is to come:
 *
 *   expect vector=<decimal> error=0x<code> rip=0x<address>
 *   expect vector=14 error=0x<code> rip=0x<address> cr2=0x<address>
 *   expect panic
 *
 * A test compares that with the report. With `fault=registers`, RAX, RBX, RCX, RDX, RSI, RDI, RBP
 * and R8 to R15 hold the numbers 1 to 15 in this order. Where the kernel prints `no fault`, nothing
 * went wrong.
 */
#include <bootimage/bootinfo.h>

#include "console.h"
#include "kernel.h"
#include "panic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_FAULT 14

/* As in faults.asm. */
#define UNMAPPED ((const char *)0x10)
#define BAD_SELECTOR 0x48

/* Bits of the error code of a page fault. */
#define ERROR_MAPPED 0x1
#define ERROR_WRITE 0x2
#define ERROR_FETCH 0x10

/* What faults.asm has for each. */
#define FAULT(name)                                                                                \
    void fault_##name(void);                                                                       \
    extern const char fault_##name##_rip[]

FAULT(divide);
FAULT(breakpoint);
FAULT(opcode);
FAULT(registers);
FAULT(protection);
FAULT(read);
FAULT(write);
FAULT(code);
FAULT(constant);
FAULT(execute);
FAULT(overflow);
FAULT(double);
FAULT(nmi);
FAULT(machine_check);
extern const char fault_constant_address[];

struct fault {
    const char *command_line;
    void (*run)(void);
    const char *rip;
    const char *address; /* that a page fault is about; NULL: the top of the page below the stack */
    unsigned int vector;
    unsigned int error_code;
};

static const struct fault faults[] = {
    {"fault=de", fault_divide, fault_divide_rip, NULL, 0, 0},
    {"fault=nmi", fault_nmi, fault_nmi_rip, NULL, 2, 0},
    {"fault=bp", fault_breakpoint, fault_breakpoint_rip, NULL, 3, 0},
    {"fault=ud", fault_opcode, fault_opcode_rip, NULL, 6, 0},
    {"fault=registers", fault_registers, fault_registers_rip, NULL, 6, 0},
    {"fault=df", fault_double, fault_double_rip, NULL, 8, 0},
    {"fault=gp", fault_protection, fault_protection_rip, NULL, 13, BAD_SELECTOR},
    {"fault=pf", fault_write, fault_write_rip, UNMAPPED, PAGE_FAULT, ERROR_WRITE},
    {"fault=read", fault_read, fault_read_rip, UNMAPPED, PAGE_FAULT, 0},
    {"fault=code", fault_code, fault_code_rip, fault_code_rip, PAGE_FAULT,
     ERROR_WRITE | ERROR_MAPPED},
    {"fault=constant", fault_constant, fault_constant_rip, fault_constant_address, PAGE_FAULT,
     ERROR_WRITE | ERROR_MAPPED},
    {"fault=execute", fault_execute, fault_execute_rip, fault_execute_rip, PAGE_FAULT,
     ERROR_FETCH | ERROR_MAPPED},
    {"fault=overflow", fault_overflow, fault_overflow_rip, NULL, PAGE_FAULT, ERROR_WRITE},
    {"fault=mc", fault_machine_check, fault_machine_check_rip, NULL, 18, 0},
};

static bool text_is(const char *text, const char *other)
{
    while (*text && *text == *other) {
        text++;
        other++;
    }
    return *text == *other;
}

static void provoke(const struct fault *fault, const struct bootinfo *info)
{
    uint64_t address = (uintptr_t)fault->address;

    if (!fault->address)
        address = info->stack_top - info->stack_bytes - sizeof(uint64_t);
    console_print("expect vector=%u error=0x%x rip=0x%016lx", fault->vector, fault->error_code,
                  (uintptr_t)fault->rip);
    if (fault->vector == PAGE_FAULT)
        console_print(" cr2=0x%016lx", address);
    console_print("\n");
    fault->run();
}

/* The panics: one that is asked for, and those of the checks in kernel/entry.c. */
static void provoke_panic(const char *command_line, const struct bootinfo *info)
{
    struct bootinfo broken = *info;

    if (text_is(command_line, "fault=magic"))
        broken.magic = 0;
    else if (text_is(command_line, "fault=version"))
        broken.version += 0x10000;
    else if (text_is(command_line, "fault=size"))
        broken.size_bytes--;
    else if (!text_is(command_line, "fault=panic"))
        return;

    /* The kernel begins anew, and clears the screen: this is for COM1. */
    console_print("expect panic\n");
    if (text_is(command_line, "fault=panic"))
        panic("%s", "as the command line wants it");
    _start(&broken);
}

void kernel_main(const struct bootinfo *info)
{
    const char *command_line = (const char *)(uintptr_t)info->command_line;

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (text_is(command_line, faults[i].command_line))
            provoke(&faults[i], info);
    }
    provoke_panic(command_line, info);
    console_print("no fault\n");
}
