/*
 * Functions that call each other, in each way that an unwinder meets. test_unwind.c runs this one
 * instruction at a time, as a program of Linux, and test_debuginfo.c asks for its names and lines:
 * both find what they look for by the texts that stand here.
 */

/* A label on an instruction of the line that it stands in. */
#define MARK(name) __asm__ volatile(".globl at_" #name "\nat_" #name ": nop" : : : "memory")
#define ALONE __attribute__((noipa))

/* stub is entered as a gate of the IDT enters, and has neither frame pointer nor unwind
   information. */
__asm__(".text\n"
        ".globl _start, stub, stub_return\n"
        ".type _start, @function\n"
        "_start: call outermost\n"
        "        ud2\n"
        ".size _start, . - _start\n"
        ".type stub, @function\n"
        "stub:   nop\n"
        "        call leaf\n"
        "stub_return: ud2\n"
        ".size stub, . - stub\n");

int outermost(void);

volatile int table[4] = {1, 2, 3, 4};
const int constants[4] = {1, 2, 3, 4};
static int (*volatile pointer)(int);

static inline __attribute__((always_inline)) int inlined(int value)
{
    MARK(inlined);
    return value + table[1];
}

ALONE int leaf(int value)
{
    MARK(leaf);
    return value * table[0];
}

/* Values that have to outlive a call are kept in saved registers. */
ALONE static int saves(int value)
{
    int first = leaf(value);
    int second = pointer(first);

    MARK(saves);
    return first + second + inlined(value); /* here it is inlined */
}

/* RSP is not known to the compiler. */
ALONE static int takes_room(int count)
{
    volatile char *room = __builtin_alloca((unsigned int)count * 16u);

    room[0] = (char)leaf(count);
    return room[0];
}

#ifdef WITH_ALIGNED
/* Where the caller's stack ends is remembered in memory: an expression tells. */
ALONE static int aligns(int value)
{
    volatile int aligned[16] __attribute__((aligned(64)));

    aligned[3] = leaf(value);
    return aligned[3];
}
#else
#define aligns(value) leaf(value)
#endif

ALONE static int recurses(int depth)
{
    if (depth == 0)
        return takes_room(3) + aligns(5);
    return recurses(depth - 1) + table[depth];
}

ALONE int outermost(void)
{
    pointer = leaf;
    return recurses(2) + saves(7);
}
