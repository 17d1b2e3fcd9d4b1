/*
 * One step by call frame information, which compilers write into .eh_frame and .debug_frame: for
 * each address of code, where the caller's registers are [DWARF5 §6.4 "Call Frame Information"].
 *
 * libdw finds the rules and gives each as an expression; the few operations that occur in them are
 * worked out here.
 */
#include "run/unwind_state.h"

#include "run/debuginfo_file.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define STACK_MOST 16
#define OPERATIONS_MOST 64
#define RULE_OPERATIONS 3

/* DWARF's numbers of registers [AMD64 psABI §3.6.2], [System V ABI i386]. */
static const uint8_t numbers_64[REGISTERS_GENERAL_COUNT] = {
    REGISTERS_RAX,
    REGISTERS_RDX,
    REGISTERS_RCX,
    REGISTERS_RBX,
    REGISTERS_RSI,
    REGISTERS_RDI,
    REGISTERS_RBP,
    REGISTERS_RSP,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
};
static const uint8_t numbers_32[] = {
    REGISTERS_RAX, REGISTERS_RCX, REGISTERS_RDX, REGISTERS_RBX,
    REGISTERS_RSP, REGISTERS_RBP, REGISTERS_RSI, REGISTERS_RDI,
};

struct rules {
    const uint8_t *numbers;
    size_t count;
};

static struct rules rules_of(const struct unwind_state *state)
{
    if (state->word_bytes == 8)
        return (struct rules){numbers_64, sizeof(numbers_64)};
    return (struct rules){numbers_32, sizeof(numbers_32)};
}

/* The value of a register that the caller still has in it. */
static bool read_register(const struct unwind_state *state, uint64_t number, uint64_t *value)
{
    const struct rules rules = rules_of(state);

    if (number >= rules.count || !state->is_known[rules.numbers[number]])
        return false;
    *value = state->general[rules.numbers[number]];
    return true;
}

/* The stack of an expression. */
struct stack {
    uint64_t values[STACK_MOST];
    size_t count;
};

static bool push(struct stack *stack, uint64_t value)
{
    if (stack->count == STACK_MOST)
        return false;
    stack->values[stack->count++] = value;
    return true;
}

static bool pop(struct stack *stack, uint64_t *value)
{
    if (stack->count == 0)
        return false;
    *value = stack->values[--stack->count];
    return true;
}

static bool apply_two(struct stack *stack, uint8_t atom)
{
    uint64_t left, right;

    if (!pop(stack, &right) || !pop(stack, &left))
        return false;
    switch (atom) {
    case DW_OP_plus:
        return push(stack, left + right);
    case DW_OP_minus:
        return push(stack, left - right);
    case DW_OP_and:
        return push(stack, left & right);
    case DW_OP_shl:
        return push(stack, right < 64 ? left << right : 0);
    case DW_OP_ge:
        return push(stack, (int64_t)left >= (int64_t)right);
    default:
        return push(stack, left * right);
    }
}

static bool apply(const struct unwind_state *state, struct stack *stack, const Dwarf_Op *operation,
                  uint64_t cfa)
{
    const uint8_t atom = operation->atom;
    uint64_t value;

    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
        return push(stack, atom - DW_OP_lit0);
    if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
        return read_register(state, atom - DW_OP_breg0, &value) &&
               push(stack, value + operation->number);
    switch (atom) {
    case DW_OP_bregx:
        return read_register(state, operation->number, &value) &&
               push(stack, value + operation->number2);
    case DW_OP_call_frame_cfa:
        return push(stack, cfa);
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
        return push(stack, operation->number);
    case DW_OP_plus_uconst:
        return pop(stack, &value) && push(stack, value + operation->number);
    case DW_OP_deref:
        return pop(stack, &value) && unwind_read_word(state, value, &value) && push(stack, value);
    case DW_OP_plus:
    case DW_OP_minus:
    case DW_OP_and:
    case DW_OP_shl:
    case DW_OP_ge:
    case DW_OP_mul:
        return apply_two(stack, atom);
    case DW_OP_nop:
        return true;
    default:
        return false;
    }
}

/* *is_value: the result is what is looked for, not its address. */
static bool evaluate(const struct unwind_state *state, const Dwarf_Op *operations, size_t count,
                     uint64_t cfa, uint64_t *result, bool *is_value)
{
    struct stack stack = {.count = 0};

    *is_value = false;
    if (count == 0 || count > OPERATIONS_MOST)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (operations[i].atom == DW_OP_stack_value)
            *is_value = true;
        else if (!apply(state, &stack, &operations[i], cfa))
            return false;
    }
    return pop(&stack, result);
}

/* What the rule says of a register. */
enum rule {
    RULE_UNKNOWN, /* it is lost, or cannot be worked out */
    RULE_SAME,
    RULE_VALUE,
};

static enum rule find_register(const struct unwind_state *state, Dwarf_Frame *frame, int number,
                               uint64_t cfa, uint64_t *value)
{
    Dwarf_Op memory[RULE_OPERATIONS];
    Dwarf_Op *operations = NULL;
    size_t count = 0;
    bool is_value;

    if (dwarf_frame_register(frame, number, memory, &operations, &count) != 0)
        return RULE_UNKNOWN;
    if (count == 0)
        return operations ? RULE_UNKNOWN : RULE_SAME;
    if (!evaluate(state, operations, count, cfa, value, &is_value))
        return RULE_UNKNOWN;
    return is_value || unwind_read_word(state, *value, value) ? RULE_VALUE : RULE_UNKNOWN;
}

static bool find_cfa(const struct unwind_state *state, Dwarf_Frame *frame, uint64_t *cfa)
{
    Dwarf_Op *operations;
    size_t count;
    bool is_value;

    return dwarf_frame_cfa(frame, &operations, &count) == 0 &&
           evaluate(state, operations, count, 0, cfa, &is_value);
}

static void leave(struct unwind_state *state, Dwarf_Frame *frame, uint64_t cfa)
{
    const struct unwind_state before = *state;
    const struct rules rules = rules_of(state);

    for (size_t i = 0; i < rules.count; i++) {
        const uint8_t number = rules.numbers[i];
        uint64_t value;

        switch (find_register(&before, frame, (int)i, cfa, &value)) {
        case RULE_VALUE:
            state->general[number] = value;
            state->is_known[number] = true;
            break;
        case RULE_UNKNOWN:
            state->is_known[number] = false;
            break;
        case RULE_SAME:
        default:
            break;
        }
    }
    /* The CFA is RSP of the caller, by definition on x86. */
    state->general[REGISTERS_RSP] = cfa;
    state->is_known[REGISTERS_RSP] = true;
}

bool unwind_by_cfi(struct unwind_state *state, bool *is_last)
{
    const uint64_t vaddr = state->pc - (state->is_call ? 1 : 0) - state->slide;
    Dwarf_Frame *frame = debuginfo_frame(state->debuginfo, vaddr);
    uint64_t cfa, pc;
    Dwarf_Addr start, end;
    bool is_signal = false;
    bool done = false;
    int return_register = frame ? dwarf_frame_info(frame, &start, &end, &is_signal) : -1;
    Dwarf_Op memory[RULE_OPERATIONS];
    Dwarf_Op *operations = memory;
    size_t count = 1;

    if (return_register < 0 || !find_cfa(state, frame, &cfa))
        goto out;
    /* The outermost function says that it has no caller. */
    *is_last = dwarf_frame_register(frame, return_register, memory, &operations, &count) == 0 &&
               count == 0 && operations;
    if (*is_last || find_register(state, frame, return_register, cfa, &pc) != RULE_VALUE)
        goto out;
    leave(state, frame, cfa);
    state->pc = pc;
    state->is_call = !is_signal;
    done = true;
out:
    free(frame);
    return done;
}
