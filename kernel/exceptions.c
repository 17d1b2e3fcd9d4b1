/*
 * Exceptions 0 to 31: the IDT and what its handlers say. The stubs of exceptions.asm save the
 * registers and call exceptions_report(), which prints all there is to know and ends the run.
 * Interrupts stay off in this kernel, so vectors from 32 on have no gate: a stray INT becomes a
 * general protection fault. [Intel SDM vol. 3 §6.14 "Exception and Interrupt Handling in 64-bit
 * Mode", §6.15 "Exception and Interrupt Reference"]
 */
#include "exceptions.h"

#include "console.h"
#include "cpu.h"
#include "panic.h"
#include "segments.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCEPTIONS_COUNT 32
#define EXCEPTIONS_STUB_BYTES 16

enum exceptions_vector {
    EXCEPTION_NMI = 2,
    EXCEPTION_DOUBLE_FAULT = 8,
    EXCEPTION_PAGE_FAULT = 14,
    EXCEPTION_MACHINE_CHECK = 18,
};

/* Bits of the error code of a page fault. */
#define PAGE_FAULT_MAPPED 0x1
#define PAGE_FAULT_WRITE 0x2
#define PAGE_FAULT_RESERVED_BIT 0x8
#define PAGE_FAULT_FETCH 0x10

#define CPUID_1_EDX_MCE (1u << 7)
#define PAGE_BYTES 4096

/* An entry of the IDT. */
struct exceptions_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack; /* enum segments_stack */
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

/* Present, ring 0, interrupts off in the handler. */
#define GATE_INTERRUPT 0x8e

_Static_assert(sizeof(struct exceptions_gate) == 16, "struct exceptions_gate");

/* The interrupted code, as exceptions.asm and the processor leave it on the stack. */
struct exceptions_frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector;
    uint64_t error_code; /* 0 where the vector has none */
    uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(offsetof(struct exceptions_frame, vector) == 15 * 8, "vector");

/* [Intel SDM vol. 3 table 6-1], [AMD APM vol. 2 §8.2] for 28 to 30. */
static const char *const exceptions_names[EXCEPTIONS_COUNT] = {
    [0] = "#DE divide error",
    [1] = "#DB debug",
    [EXCEPTION_NMI] = "NMI non-maskable interrupt",
    [3] = "#BP breakpoint",
    [4] = "#OF overflow",
    [5] = "#BR bound range exceeded",
    [6] = "#UD invalid opcode",
    [7] = "#NM device not available",
    [EXCEPTION_DOUBLE_FAULT] = "#DF double fault",
    [10] = "#TS invalid task segment",
    [11] = "#NP segment not present",
    [12] = "#SS stack-segment fault",
    [13] = "#GP general protection",
    [EXCEPTION_PAGE_FAULT] = "#PF page fault",
    [16] = "#MF x87 floating-point error",
    [17] = "#AC alignment check",
    [EXCEPTION_MACHINE_CHECK] = "#MC machine check",
    [19] = "#XM SIMD floating-point exception",
    [20] = "#VE virtualization exception",
    [21] = "#CP control protection",
    [28] = "#HV hypervisor injection",
    [29] = "#VC VMM communication",
    [30] = "#SX security exception",
};

/* The lowest address of the stack, or 0 as long as it is not known. */
static uint64_t exceptions_stack_lowest;
static struct exceptions_gate exceptions_idt[EXCEPTIONS_COUNT];

extern const char exceptions_stubs[EXCEPTIONS_COUNT][EXCEPTIONS_STUB_BYTES];

/* Called by exceptions.asm. */
_Noreturn void exceptions_report(const struct exceptions_frame *frame);

static enum segments_stack exceptions_stack(unsigned int vector)
{
    switch (vector) {
    case EXCEPTION_NMI:
        return SEGMENTS_STACK_NMI;
    case EXCEPTION_DOUBLE_FAULT:
        return SEGMENTS_STACK_DOUBLE_FAULT;
    case EXCEPTION_PAGE_FAULT:
        return SEGMENTS_STACK_PAGE_FAULT;
    case EXCEPTION_MACHINE_CHECK:
        return SEGMENTS_STACK_MACHINE_CHECK;
    default:
        return SEGMENTS_STACK_CURRENT;
    }
}

static void exceptions_set_gate(unsigned int vector)
{
    uint64_t offset = (uintptr_t)exceptions_stubs[vector];

    exceptions_idt[vector] = (struct exceptions_gate){
        .offset_low = (uint16_t)offset,
        .selector = SEGMENT_CODE,
        .stack = (uint8_t)exceptions_stack(vector),
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32),
    };
}

/* Without CR4.MCE a machine check shuts the processor down, with no word about it. */
static void exceptions_enable_machine_check(void)
{
    unsigned int eax, ebx, ecx, edx;

    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && edx & CPUID_1_EDX_MCE)
        cpu_write_cr4(cpu_read_cr4() | CPU_CR4_MCE);
}

void exceptions_init(void)
{
    const struct cpu_table idt = {sizeof(exceptions_idt) - 1, (uintptr_t)exceptions_idt};

    segments_init();
    for (unsigned int vector = 0; vector < EXCEPTIONS_COUNT; vector++)
        exceptions_set_gate(vector);
    cpu_load_idt(&idt);
    exceptions_enable_machine_check();
}

void exceptions_set_stack(uint64_t lowest_vaddr)
{
    exceptions_stack_lowest = lowest_vaddr;
}

static bool exceptions_is_overflow(uint64_t address)
{
    return exceptions_stack_lowest != 0 && address < exceptions_stack_lowest &&
           address >= exceptions_stack_lowest - PAGE_BYTES;
}

static void exceptions_explain_page_fault(uint64_t error_code, uint64_t address)
{
    const char *access = "read from";
    const char *reason = "is not mapped";

    if (error_code & PAGE_FAULT_FETCH)
        access = "execution of";
    else if (error_code & PAGE_FAULT_WRITE)
        access = "write to";

    if (error_code & PAGE_FAULT_RESERVED_BIT)
        reason = "has a reserved bit set in its page tables";
    else if (error_code & PAGE_FAULT_MAPPED)
        reason = "does not allow it";

    console_print("%s 0x%016lx: the page %s\n", access, address, reason);
    if (exceptions_is_overflow(address))
        console_print("stack overflow: this is the page below the stack\n");
}

static void exceptions_print_registers(const struct exceptions_frame *frame, uint64_t cr2)
{
    console_print("RIP 0x%016lx  CS  0x%016lx  RFLAGS 0x%08lx\n", frame->rip, frame->cs,
                  frame->rflags);
    console_print("RSP 0x%016lx  SS  0x%016lx\n", frame->rsp, frame->ss);
    console_print("RAX 0x%016lx  RBX 0x%016lx  RCX 0x%016lx\n", frame->rax, frame->rbx, frame->rcx);
    console_print("RDX 0x%016lx  RSI 0x%016lx  RDI 0x%016lx\n", frame->rdx, frame->rsi, frame->rdi);
    console_print("RBP 0x%016lx  R8  0x%016lx  R9  0x%016lx\n", frame->rbp, frame->r8, frame->r9);
    console_print("R10 0x%016lx  R11 0x%016lx  R12 0x%016lx\n", frame->r10, frame->r11, frame->r12);
    console_print("R13 0x%016lx  R14 0x%016lx  R15 0x%016lx\n", frame->r13, frame->r14, frame->r15);
    console_print("CR2 0x%016lx\n", cr2);
}

void exceptions_report(const struct exceptions_frame *frame)
{
    const uint64_t cr2 = cpu_read_cr2(); /* before anything here can fault */
    const char *name = exceptions_names[frame->vector];

    panic_begin();
    console_print("exception %lu %s, error code 0x%lx\n", frame->vector, name ? name : "reserved",
                  frame->error_code);
    if (frame->vector == EXCEPTION_PAGE_FAULT)
        exceptions_explain_page_fault(frame->error_code, cr2);
    exceptions_print_registers(frame, cr2);
    panic_end();
}
