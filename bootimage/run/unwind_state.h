/*
 * What the unwinder's files share: the registers of a function that has been left to its callee.
 */
#ifndef BOOTIMAGE_RUN_UNWIND_STATE_H
#define BOOTIMAGE_RUN_UNWIND_STATE_H

#include "run/unwind.h"

struct unwind_state {
    struct debuginfo *debuginfo;
    const struct unwind_memory *memory;
    uint64_t slide;
    size_t word_bytes; /* 4 or 8 */
    uint16_t cs;
    uint64_t general[REGISTERS_GENERAL_COUNT];
    bool is_known[REGISTERS_GENERAL_COUNT];
    uint64_t pc;
    bool is_call;
    bool is_first; /* the frame where the CPU stands */
};

/* unwind_cfi.c: goes to the caller. False if the file says nothing about this code, or what it says
   makes no sense. *is_last: there is no caller. */
bool unwind_by_cfi(struct unwind_state *state, bool *is_last);

/* A word of the stack. */
bool unwind_read_word(const struct unwind_state *state, uint64_t vaddr, uint64_t *word);

/* Whether an address of the machine is in the kernel's code. */
bool unwind_is_code(const struct unwind_state *state, uint64_t vaddr);

#endif
