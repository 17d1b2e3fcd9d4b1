/*
 * An exception of a CPU, and what it is in words.
 */
#ifndef BOOTIMAGE_RUN_EXCEPTION_H
#define BOOTIMAGE_RUN_EXCEPTION_H

#include "run/registers.h"

/* Those from 32 on are interrupts. */
#define EXCEPTION_COUNT 32

/* No vector. */
#define EXCEPTION_NONE UINT32_MAX

/* [Intel SDM vol. 3 table 6-1] */
enum exception_vector {
    EXCEPTION_DIVIDE_ERROR = 0,
    EXCEPTION_BREAKPOINT = 3,
    EXCEPTION_OVERFLOW = 4,
    EXCEPTION_INVALID_OPCODE = 6,
    EXCEPTION_DOUBLE_FAULT = 8,
    EXCEPTION_INVALID_TSS = 10,
    EXCEPTION_NOT_PRESENT = 11,
    EXCEPTION_STACK_FAULT = 12,
    EXCEPTION_PROTECTION = 13,
    EXCEPTION_PAGE_FAULT = 14,
};

/* The error code of a page fault [Intel SDM vol. 3 §4.7]. */
#define EXCEPTION_PAGE_PRESENT (1u << 0)
#define EXCEPTION_PAGE_WRITE (1u << 1)
#define EXCEPTION_PAGE_USER (1u << 2)
#define EXCEPTION_PAGE_RESERVED_BIT (1u << 3)
#define EXCEPTION_PAGE_FETCH (1u << 4)
#define EXCEPTION_PAGE_PROTECTION_KEY (1u << 5)

/* The error code of most others names a descriptor [Intel SDM vol. 3 §6.13]. */
#define EXCEPTION_SELECTOR_FLAGS 3u /* how the CPU came to it, and the table */
#define EXCEPTION_SELECTOR_IS_IDT (1u << 1)
#define EXCEPTION_SELECTOR_INDEX_SHIFT 3

struct exception {
    uint64_t sequence;          /* counts the exceptions of a run, from 1 */
    struct registers registers; /* when it was delivered; cr2 is the page fault's address */
    uint32_t error_code;        /* 0 where it has none */
    uint32_t raised;            /* what was raised: differs from vector for double faults only */
    uint32_t during; /* the vector, of an interrupt too, that was being delivered, or none */
    unsigned int cpl;
    uint8_t vector; /* what was delivered */
    bool has_error_code;
    bool is_software; /* by INT n, INT3 or INTO: it is no fault */
};

/* "page fault"; "exception 15" and "interrupt 0x20" are made in buffer. */
#define EXCEPTION_NAME_BYTES 24
const char *exception_name(uint32_t vector, char buffer[EXCEPTION_NAME_BYTES]);

/* What happened, as "page fault, write to 0xdeadb000" or "general protection fault, selector
   0x28". Cut to the bytes of text, of which there is one at least: EXCEPTION_TEXT_BYTES do. */
#define EXCEPTION_TEXT_BYTES 128
void exception_describe(const struct exception *exception, char *text, size_t bytes);

/* Why a page fault came, as "not mapped"; NULL of other exceptions. */
const char *exception_reason(const struct exception *exception);

#endif
