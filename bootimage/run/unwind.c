/*
 * From function to caller, by the best way there is: by what the compiler wrote down
 * (unwind_cfi.c), else by what code and stack look like.
 *
 * Each step has to go up the stack, and to end in the kernel's code, so that damaged stacks end the
 * list and not the tool. report_place.c gives the frames their names.
 */
#include "run/unwind_state.h"

#include <string.h>

/* An assembly stub saves so many words, at most, above which the CPU's frame is looked for. */
#define STUB_WORDS 64

/* Instructions that frames are told by. */
#define PUSH_RBP 0x55
#define RET 0xc3
#define CALL_NEAR 0xe8
#define CALL_INDIRECT 0xff
#define CALL_INDIRECT_BYTES_MOST 7
#define MODRM_CALL(modrm) (((modrm) >> 3 & 7) == 2)
static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* RFLAGS: bit 1 is always 1, and these are always 0 [Intel SDM vol. 1 §3.4.3]. */
#define RFLAGS_ONE 0x2u
#define RFLAGS_ZEROS 0xffffffffffc08028u
#define SELECTOR_MOST 0xffffu

bool unwind_read_word(const struct unwind_state *state, uint64_t vaddr, uint64_t *word)
{
    *word = 0;
    return state->memory->read(state->memory->context, vaddr, word, state->word_bytes);
}

static bool read_code(const struct unwind_state *state, uint64_t vaddr, uint8_t *bytes,
                      size_t count)
{
    return state->memory->read(state->memory->context, vaddr, bytes, count);
}

bool unwind_is_code(const struct unwind_state *state, uint64_t vaddr)
{
    return debuginfo_is_code(state->debuginfo, vaddr - state->slide);
}

/* Whether there is a call right before the address. */
static bool is_return_address(const struct unwind_state *state, uint64_t vaddr)
{
    uint8_t bytes[CALL_INDIRECT_BYTES_MOST];

    if (!unwind_is_code(state, vaddr - 1) ||
        !read_code(state, vaddr - sizeof(bytes), bytes, sizeof(bytes)))
        return false;
    if (bytes[sizeof(bytes) - 5] == CALL_NEAR)
        return true;
    for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
        if (bytes[i] == CALL_INDIRECT && MODRM_CALL(bytes[i + 1]))
            return true;
    }
    return false;
}

static uint64_t rsp_of(const struct unwind_state *state)
{
    return state->general[REGISTERS_RSP];
}

/* The return address lies so many bytes above RSP. */
static bool return_from(struct unwind_state *state, uint64_t offset)
{
    uint64_t pc;

    if (!unwind_read_word(state, rsp_of(state) + offset, &pc) || !is_return_address(state, pc))
        return false;
    state->pc = pc;
    state->is_call = true;
    state->general[REGISTERS_RSP] += offset + state->word_bytes;
    return true;
}

/* How far into its function the code is; *begins_frame: the function begins by saving RBP, at that
   offset. False if nobody knows where it begins. */
static bool find_start(const struct unwind_state *state, uint64_t *offset, bool *begins_frame,
                       uint64_t *push_offset)
{
    uint8_t bytes[sizeof(endbr64) + 1];
    uint64_t start;

    if (!debuginfo_symbol(state->debuginfo, state->pc - (state->is_call ? 1 : 0) - state->slide,
                          offset))
        return false;
    start = state->pc - (state->is_call ? 1 : 0) - *offset;
    if (!read_code(state, start, bytes, sizeof(bytes)))
        return false;
    *push_offset = memcmp(bytes, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64) : 0;
    *begins_frame = bytes[*push_offset] == PUSH_RBP;
    return true;
}

/* Where the CPU stands, RBP may not be the function's yet, or no more. */
static bool unwind_first(struct unwind_state *state, bool begins_frame, uint64_t offset,
                         uint64_t push_offset)
{
    uint8_t code = 0;
    uint64_t rbp;

    if (begins_frame && offset <= push_offset)
        return return_from(state, 0);
    if (begins_frame && offset == push_offset + 1) {
        if (!unwind_read_word(state, rsp_of(state), &rbp) || !return_from(state, state->word_bytes))
            return false;
        state->general[REGISTERS_RBP] = rbp;
        return true;
    }
    if (!begins_frame || (read_code(state, state->pc, &code, 1) && code == RET))
        return return_from(state, 0);
    return false;
}

/* The frame that the CPU pushed for a handler: RIP, CS, RFLAGS and, in 64-bit mode, RSP and SS
   [Intel SDM vol. 3 §6.14.2]. */
static bool is_exception_frame(const struct unwind_state *state, uint64_t vaddr, uint64_t words[5])
{
    const size_t count = state->word_bytes == 8 ? 5 : 3;

    for (size_t i = 0; i < count; i++) {
        if (!unwind_read_word(state, vaddr + i * state->word_bytes, &words[i]))
            return false;
    }
    return unwind_is_code(state, words[0]) && words[1] == state->cs &&
           (words[2] & (RFLAGS_ZEROS | RFLAGS_ONE)) == RFLAGS_ONE &&
           (count == 3 || words[4] <= SELECTOR_MOST);
}

/* A stub in assembly saves registers, as many as it likes, below what the CPU pushed. RBP is taken
   to be what it was, as it is what C functions give back. */
static bool unwind_exception(struct unwind_state *state)
{
    uint64_t words[5] = {0};

    for (size_t i = 0; i < STUB_WORDS; i++) {
        const uint64_t vaddr = rsp_of(state) + i * state->word_bytes;

        if (!is_exception_frame(state, vaddr, words))
            continue;
        state->pc = words[0];
        state->is_call = false;
        state->general[REGISTERS_RSP] =
            state->word_bytes == 8 ? words[3] : vaddr + 3 * state->word_bytes;
        return true;
    }
    return false;
}

static bool unwind_frame_pointer(struct unwind_state *state)
{
    const uint64_t rbp = state->general[REGISTERS_RBP];
    uint64_t saved, pc;

    if (!state->is_known[REGISTERS_RBP] || rbp % state->word_bytes != 0 || rbp < rsp_of(state) ||
        !unwind_read_word(state, rbp, &saved) ||
        !unwind_read_word(state, rbp + state->word_bytes, &pc) || !unwind_is_code(state, pc - 1))
        return false;
    state->pc = pc;
    state->is_call = true;
    state->general[REGISTERS_RSP] = rbp + 2 * state->word_bytes;
    state->general[REGISTERS_RBP] = saved;
    return true;
}

/* One step without the compiler's help. */
static bool unwind_by_looks(struct unwind_state *state, enum unwind_way *way)
{
    bool begins_frame = false;
    uint64_t offset = 0, push_offset = 0;

    *way = UNWIND_STACK_TOP;
    if (state->is_first && !unwind_is_code(state, state->pc))
        return return_from(state, 0);
    if (find_start(state, &offset, &begins_frame, &push_offset) && state->is_first &&
        unwind_first(state, begins_frame, offset, push_offset))
        return true;
    *way = UNWIND_EXCEPTION_FRAME;
    if (!begins_frame && unwind_exception(state))
        return true;
    *way = UNWIND_FRAME_POINTER;
    return unwind_frame_pointer(state);
}

/* Callees may have changed all but those that they have to give back [AMD64 psABI §3.2.1]. */
static void forget_scratch(struct unwind_state *state)
{
    state->is_known[REGISTERS_RAX] = false;
    state->is_known[REGISTERS_RCX] = false;
    state->is_known[REGISTERS_RDX] = false;
    for (int i = REGISTERS_R8; state->word_bytes == 8 && i < REGISTERS_R8 + 4; i++)
        state->is_known[i] = false;
    if (state->word_bytes == 8)
        state->is_known[REGISTERS_RSI] = state->is_known[REGISTERS_RDI] = false;
}

static bool step(struct unwind_state *state, enum unwind_way *way)
{
    const uint64_t rsp = rsp_of(state);
    bool is_last = false;

    *way = UNWIND_CFI;
    if (unwind_is_code(state, state->pc - (state->is_call ? 1 : 0)) &&
        unwind_by_cfi(state, &is_last))
        ;
    else if (is_last || !unwind_by_looks(state, way))
        return false;
    if (state->is_call)
        forget_scratch(state);
    state->is_first = false;
    /* An exception may have switched stacks, to any place. */
    return (*way == UNWIND_EXCEPTION_FRAME || !state->is_call || rsp_of(state) > rsp) &&
           unwind_is_code(state, state->pc - (state->is_call ? 1 : 0));
}

size_t unwind(struct debuginfo *debuginfo, uint64_t slide, const struct registers *registers,
              const struct unwind_memory *memory, struct unwind_frame *frames, size_t most)
{
    struct unwind_state state = {
        .debuginfo = debuginfo,
        .memory = memory,
        .slide = slide,
        .word_bytes = registers->bits == 64 ? 8 : 4,
        .cs = registers->cs,
        .pc = registers->rip,
        .is_first = true,
    };
    enum unwind_way way;
    size_t count = 0;

    memcpy(state.general, registers->general, sizeof(state.general));
    memset(state.is_known, true, sizeof(state.is_known));
    frames[count++] = (struct unwind_frame){state.pc, UNWIND_PC, false};
    while (count < most && step(&state, &way))
        frames[count++] = (struct unwind_frame){state.pc, way, state.is_call};
    return count;
}
