/*
 * The calls that led to where a CPU stands, from its registers and its stack.
 */
#ifndef BOOTIMAGE_RUN_UNWIND_H
#define BOOTIMAGE_RUN_UNWIND_H

#include "run/debuginfo.h"
#include "run/registers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The guest's memory; addresses are the machine's. False where there is none. */
struct unwind_memory {
    bool (*read)(void *context, uint64_t vaddr, void *bytes, size_t count);
    void *context;
};

/* By what a frame was found. */
enum unwind_way {
    UNWIND_PC,              /* it is where the CPU stands */
    UNWIND_CFI,             /* what the compiler wrote down of the function before */
    UNWIND_FRAME_POINTER,   /* RBP of the function before */
    UNWIND_STACK_TOP,       /* the function before had just been called */
    UNWIND_EXCEPTION_FRAME, /* what the CPU pushed when it entered a handler */
};

struct unwind_frame {
    uint64_t pc; /* the machine's */
    enum unwind_way by;
    bool is_call; /* pc is where a call returns to: the call is before it */
};

/* Fills frames, the innermost first, and returns how many there are, one at least. slide is how far
   the machine's addresses are above those of the file. The stack may hold anything. */
size_t unwind(struct debuginfo *debuginfo, uint64_t slide, const struct registers *registers,
              const struct unwind_memory *memory, struct unwind_frame *frames, size_t most);

#endif
