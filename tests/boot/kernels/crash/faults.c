/*
 * Verbs that raise an exception, each in a function of its own at a marked line. No IDT is loaded
 * unless interrupts.c did it: the first exception is the end of the machine, a triple fault.
 */
#include "crash.h"

/* Three of it do not fit into the 64 KiB that a stack has, by less than a page. */
#define BIG_FRAME_BYTES (22 * 1024)
#define RET 0xc3
#define PAGE_BYTES 4096
#define NOT_CANONICAL 0x0123456789abcdef

/* What the compiler may not know. */
static void (*volatile no_function)(void);
static volatile int *volatile no_pointer;
static volatile int zero, depth_most = 1000000;
static volatile uint8_t data_code[16] = {RET};
static const int constant = 42;
static const int *volatile pointer_to_constant = &constant;

/* Inlined wherever it is called: a report names it, and the function that it became a part of. */
static inline __attribute__((always_inline)) void write_entry(uint64_t vaddr, uint64_t entry)
{
    *(volatile uint64_t *)vaddr = entry; /* CRASH: write-unmapped */
}

FRAME static void map_page(uint64_t vaddr)
{
    if (vaddr % PAGE_BYTES == 0)
        write_entry(vaddr, 1); /* CALL: write-unmapped */
}

FRAME static void map_range(uint64_t vaddr, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
        map_page(vaddr + at);
}

FRAME static void write_unmapped(const char *argument)
{
    (void)argument;
    map_range(UNMAPPED_VADDR, (uint64_t)2 * PAGE_BYTES);
}

FRAME static void opcode(const char *argument)
{
    (void)argument;
    __asm__ volatile("ud2"); /* CRASH: opcode */
}

FRAME static void null_call(const char *argument)
{
    (void)argument;
    no_function(); /* CRASH: null-call */
    zero = 0;
}

FRAME static void null_read(const char *argument)
{
    (void)argument;
    zero = no_pointer[4]; /* CRASH: null-read */
}

FRAME static void write_constant(const char *argument)
{
    (void)argument;
    *(volatile int *)(uintptr_t)pointer_to_constant = 43; /* CRASH: write-constant */
}

FRAME static void write_code(const char *argument)
{
    (void)argument;
    *(volatile uint8_t *)(uintptr_t)null_read = RET; /* CRASH: write-code */
}

FRAME static void execute_data(const char *argument)
{
    (void)argument;
    ((void (*)(void))(uintptr_t)data_code)(); /* CRASH: execute-data */
    zero = 0;
}

FRAME static void execute_stack(const char *argument)
{
    volatile uint8_t code[16] = {RET};

    (void)argument;
    ((void (*)(void))(uintptr_t)code)(); /* CRASH: execute-stack */
    zero = 0;
}

FRAME static void execute_bootinfo(const char *argument)
{
    (void)argument;
    ((void (*)(void))(uintptr_t)crash_info)(); /* CRASH: execute-bootinfo */
    zero = 0;
}

FRAME static int quotient(int dividend, int divisor)
{
    return dividend / divisor; /* CRASH: divide */
}

FRAME static void divide(const char *argument)
{
    (void)argument;
    zero = quotient(1, zero);
}

FRAME static void not_canonical(const char *argument)
{
    (void)argument;
    *(volatile int *)NOT_CANONICAL = 1; /* CRASH: not-canonical */
}

/* The third call goes below the stack. It takes nothing that a compiler would put there first. */
FRAME static int third_call(void)
{
    volatile char frame[BIG_FRAME_BYTES];

    frame[0] = 1; /* CRASH: overflow-third */
    if (depth_most > 0)
        depth_most -= third_call();
    return frame[0];
}

FRAME static void overflow_third(const char *argument)
{
    (void)argument;
    zero = third_call();
}

FRAME static int endless(int depth)
{
    if (depth < depth_most)
        depth = endless(depth + 1); /* CRASH: overflow-endless */
    return depth + 1;
}

FRAME static void overflow_endless(const char *argument)
{
    (void)argument;
    zero = endless(1);
}

/* All that a debugger could have learnt from the boot information is gone before the end. */
FRAME static void corrupt_bootinfo(const char *argument)
{
    volatile uint8_t *bytes = (volatile uint8_t *)(uintptr_t)crash_info;

    (void)argument;
    for (size_t i = 0; i < sizeof(*crash_info); i++)
        bytes[i] = 0xcc;
    zero = no_pointer[4]; /* CRASH: corrupt-bootinfo */
}

const struct verb faults_verbs[] = {
    {"opcode", opcode},
    {"null-call", null_call},
    {"null-read", null_read},
    {"write-constant", write_constant},
    {"write-code", write_code},
    {"write-unmapped", write_unmapped},
    {"execute-data", execute_data},
    {"execute-stack", execute_stack},
    {"execute-bootinfo", execute_bootinfo},
    {"divide", divide},
    {"not-canonical", not_canonical},
    {"overflow-third", overflow_third},
    {"overflow-endless", overflow_endless},
    {"corrupt-bootinfo", corrupt_bootinfo},
    {NULL, NULL},
};
