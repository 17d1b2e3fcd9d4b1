/*
 * Puts an exception into words, for the first lines of the crash report. Where it was, and what
 * its address belongs to, needs the kernel's symbols and plan, and is said elsewhere.
 */
#include "run/exception.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *exception_name(uint32_t vector, char buffer[EXCEPTION_NAME_BYTES])
{
    static const char *const names[EXCEPTION_COUNT] = {
        "divide error",
        "debug exception",
        "non-maskable interrupt",
        "breakpoint",
        "overflow",
        "bound range exceeded",
        "invalid opcode",
        "device not available",
        "double fault",
        "coprocessor segment overrun",
        "invalid TSS",
        "segment not present",
        "stack-segment fault",
        "general protection fault",
        "page fault",
        NULL,
        "x87 floating-point error",
        "alignment check",
        "machine check",
        "SIMD floating-point exception",
        "virtualization exception",
        "control protection exception",
        [28] = "hypervisor injection exception",
        [29] = "VMM communication exception",
        [30] = "security exception",
    };

    if (vector < EXCEPTION_COUNT && names[vector])
        return names[vector];
    if (vector < EXCEPTION_COUNT)
        snprintf(buffer, EXCEPTION_NAME_BYTES, "exception %" PRIu32, vector);
    else
        snprintf(buffer, EXCEPTION_NAME_BYTES, "interrupt 0x%02" PRIx32, vector);
    return buffer;
}

/* A CPU without NX, or with NX off, does not say that it was to execute: but then the address is
   the one of the instruction, which nothing else can be as it could not be read. */
static bool is_fetch(const struct exception *exception)
{
    const struct registers *registers = &exception->registers;

    if (exception->error_code & EXCEPTION_PAGE_FETCH)
        return true;
    return !(exception->error_code & (EXCEPTION_PAGE_WRITE | EXCEPTION_PAGE_PRESENT)) &&
           registers->cr2 == registers->cs_base + registers->rip;
}

static void describe_page_fault(const struct exception *exception, char *text, size_t bytes)
{
    const char *access = is_fetch(exception)                            ? "execution of"
                         : exception->error_code & EXCEPTION_PAGE_WRITE ? "write to"
                                                                        : "read from";

    snprintf(text, bytes, "page fault, %s 0x%" PRIx64, access, exception->registers.cr2);
}

static bool has_selector(uint32_t vector)
{
    return vector >= EXCEPTION_INVALID_TSS && vector <= EXCEPTION_PROTECTION;
}

/* An entry of the IDT is known by what was delivered: QEMU counts it wrong in long mode. */
static void describe_error_code(const char *name, const struct exception *exception, char *text,
                                size_t bytes)
{
    uint32_t code = exception->error_code;
    bool is_idt = has_selector(exception->vector) && code & EXCEPTION_SELECTOR_IS_IDT;

    if (code == 0 || (is_idt && exception->during != EXCEPTION_NONE))
        snprintf(text, bytes, "%s", name);
    else if (is_idt || !has_selector(exception->vector))
        snprintf(text, bytes, "%s, error code 0x%" PRIx32 "%s", name, code,
                 is_idt ? " of the IDT" : "");
    else
        snprintf(text, bytes, "%s, selector 0x%02" PRIx32, name, code & ~EXCEPTION_SELECTOR_FLAGS);
}

void exception_describe(const struct exception *exception, char *text, size_t bytes)
{
    char buffers[2][EXCEPTION_NAME_BYTES];
    const char *name = exception_name(exception->vector, buffers[0]);

    if (exception->is_software)
        snprintf(text, bytes, "%s, by an instruction for it", name);
    else if (exception->vector == EXCEPTION_PAGE_FAULT)
        describe_page_fault(exception, text, bytes);
    else if (exception->raised != exception->vector)
        snprintf(text, bytes, "%s, %s", name, exception_name(exception->raised, buffers[1]));
    else
        describe_error_code(name, exception, text, bytes);
    size_t used = strlen(text);
    if (exception->during != EXCEPTION_NONE)
        snprintf(text + used, bytes - used, " in delivery of %s",
                 exception_name(exception->during, buffers[1]));
}

const char *exception_reason(const struct exception *exception)
{
    uint32_t code = exception->error_code;
    bool is_user = code & EXCEPTION_PAGE_USER;

    if (exception->vector != EXCEPTION_PAGE_FAULT || exception->is_software)
        return NULL;
    if (code & EXCEPTION_PAGE_RESERVED_BIT)
        return "a reserved bit is set in the page tables";
    if (!(code & EXCEPTION_PAGE_PRESENT))
        return "not mapped";
    if (code & EXCEPTION_PAGE_PROTECTION_KEY)
        return "forbidden by its protection key";
    if (code & EXCEPTION_PAGE_FETCH)
        return is_user ? "not executable in user mode" : "not executable";
    if (code & EXCEPTION_PAGE_WRITE)
        return is_user ? "not writable in user mode" : "not writable";
    return is_user ? "not readable in user mode" : "not readable";
}
