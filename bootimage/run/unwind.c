#include "run/unwind.h"
size_t unwind(struct debuginfo *debuginfo, uint64_t slide, const struct registers *r, const struct unwind_memory *memory, struct unwind_frame *frames, size_t most)
{
    size_t n = 0; uint64_t rbp = r->general[REGISTERS_RBP]; uint64_t w[2];
    (void)debuginfo; (void)slide;
    frames[n++] = (struct unwind_frame){.pc = r->rip, .by = UNWIND_PC};
    while (n < most && memory->read(memory->context, rbp, w, 16) && w[1]) {
        frames[n++] = (struct unwind_frame){.pc = w[1], .by = UNWIND_FRAME_POINTER, .is_call = true};
        if (w[0] <= rbp) break;
        rbp = w[0];
    }
    return n;
}
