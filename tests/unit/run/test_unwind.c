/*
 * Call stacks of real code: the kernels of calls/ run as programs of Linux, one instruction at a
 * time, and before each the calls that were made and have not returned are what has to be found.
 * Then stacks that nobody made by calls: cut off, endless, random.
 */
#include "calls_kernel.h"

#include <gelf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/unwind.h"

#define FRAMES 64
#define STEPS_MOST 10000
#define CALLS_MOST 16
#define OVERLAY_BYTES 4096
#define ROUNDS 5000
#define DAMAGED_FILES 1000

#define CODE_64_BIT 0x33 /* CS, as Linux has it */
#define CALL_NEAR 0xe8
#define CALL_INDIRECT 0xff
#define RET 0xc3
#define REX_FIRST 0x40
#define REX_LAST 0x4f

/* A program that stands still; an overlay stands in for its memory from `overlay_vaddr` on. */
struct program {
    struct calls_kernel calls; /* what it runs */
    pid_t pid;
    uint64_t slide;
    struct registers registers;
    uint64_t returns[CALLS_MOST]; /* where its calls return to, the outermost first */
    size_t depth;
    uint64_t overlay_vaddr; /* 0: none */
    uint8_t overlay[OVERLAY_BYTES];
};

static bool read_program(void *context, uint64_t vaddr, void *bytes, size_t count)
{
    const struct program *program = context;
    struct iovec here = {bytes, count};
    struct iovec there = {(void *)(uintptr_t)vaddr, count};

    if (program->overlay_vaddr && vaddr - program->overlay_vaddr < OVERLAY_BYTES) {
        if (count > OVERLAY_BYTES - (vaddr - program->overlay_vaddr))
            return false;
        memcpy(bytes, program->overlay + (vaddr - program->overlay_vaddr), count);
        return true;
    }
    return process_vm_readv(program->pid, &here, 1, &there, 1, 0) == (ssize_t)count;
}

static struct unwind_memory memory_of(struct program *program)
{
    return (struct unwind_memory){read_program, program};
}

static void read_registers(struct program *program)
{
    struct user_regs_struct from;
    struct registers *to = &program->registers;

    assert_int_equal(ptrace(PTRACE_GETREGS, program->pid, NULL, &from), 0);
    *to = (struct registers){
        .rip = from.rip,
        .rflags = from.eflags,
        .cs = (uint16_t)from.cs,
        .ss = (uint16_t)from.ss,
        .bits = from.cs == CODE_64_BIT ? 64 : 32,
    };
    const uint64_t general[REGISTERS_GENERAL_COUNT] = {
        from.rax, from.rcx, from.rdx, from.rbx, from.rsp, from.rbp, from.rsi, from.rdi,
        from.r8,  from.r9,  from.r10, from.r11, from.r12, from.r13, from.r14, from.r15,
    };
    memcpy(to->general, general, sizeof(general));
}

static bool wait_for_stop(struct program *program)
{
    int status;

    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    if (!WIFSTOPPED(status))
        return false;
    read_registers(program);
    return WSTOPSIG(status) == SIGTRAP;
}

static void start_program(struct program *program, const char *name)
{
    *program = (struct program){.pid = -1};
    if (!calls_open(&program->calls, name))
        fail_msg("there is no %s", program->calls.path);
    program->pid = fork();
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execl(program->calls.path, program->calls.path, (char *)NULL);
        _exit(1);
    }
    if (!wait_for_stop(program)) {
        calls_close(&program->calls);
        /* Not every Linux runs 32-bit programs: they come last in each test. */
        if (strncmp(name, "32", 2) == 0)
            skip();
        fail_msg("%s does not run here", name);
    }
    program->slide = program->registers.rip - calls_symbol(&program->calls, "_start");
}

static void end_program(struct program *program)
{
    int status;

    kill(program->pid, SIGKILL);
    waitpid(program->pid, &status, 0);
    calls_close(&program->calls);
}

static bool is_call(const uint8_t *code)
{
    if (*code >= REX_FIRST && *code <= REX_LAST && code[1] == CALL_INDIRECT)
        code++;
    return *code == CALL_NEAR || (*code == CALL_INDIRECT && (code[1] >> 3 & 7) == 2);
}

/* One instruction further. False at the end, which is no instruction. */
static bool step_program(struct program *program)
{
    const size_t word_bytes = program->registers.bits / 8;
    uint8_t code[3] = {0};

    assert_true(read_program(program, program->registers.rip, code, sizeof(code)));
    const uint64_t rip = program->registers.rip;
    assert_int_equal(ptrace(PTRACE_SINGLESTEP, program->pid, NULL, NULL), 0);
    if (!wait_for_stop(program))
        return false;
    if (is_call(code)) {
        uint64_t *to = &program->returns[program->depth++];

        assert_in_range(program->depth, 1, CALLS_MOST);
        *to = 0;
        assert_true(
            read_program(program, program->registers.general[REGISTERS_RSP], to, word_bytes));
        assert_in_range(*to - rip, 2, 7);
    } else if (*code == RET) {
        assert_int_not_equal(program->depth, 0);
        assert_int_equal(program->registers.rip, program->returns[--program->depth]);
    }
    return true;
}

/* Fails unless the frames from `at` on are the calls of the program. */
static void assert_calls(const struct program *program, const struct unwind_frame *frames,
                         size_t count, size_t at)
{
    for (size_t i = 0; i < program->depth && at + i < count; i++) {
        assert_int_equal(frames[at + i].pc, program->returns[program->depth - 1 - i]);
        assert_true(frames[at + i].is_call);
    }
    assert_int_equal(count, at + program->depth);
}

static size_t unwind_program(struct program *program, struct debuginfo *debuginfo, uint64_t slide,
                             struct unwind_frame *frames)
{
    const struct unwind_memory memory = memory_of(program);
    const size_t count = unwind(debuginfo, slide, &program->registers, &memory, frames, FRAMES);

    assert_in_range(count, 1, FRAMES);
    assert_int_equal(frames[0].pc, program->registers.rip);
    assert_int_equal(frames[0].by, UNWIND_PC);
    assert_false(frames[0].is_call);
    return count;
}

/* Runs to where it is marked. */
static void run_to(struct program *program, const char *mark)
{
    const uint64_t vaddr = calls_symbol(&program->calls, mark) + program->slide;

    while (program->registers.rip != vaddr)
        assert_true(step_program(program));
}

/* A call that leads to nowhere: where it returns to is all that is left of it. */
static void check_wild_call(struct program *program, struct debuginfo *debuginfo, uint64_t slide)
{
    const uint64_t rip = program->registers.rip;
    static const uint64_t targets[] = {0, 0x10, 0x7ffffffffff0};
    struct unwind_frame frames[FRAMES];

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        program->registers.rip = targets[i];
        assert_calls(program, frames, unwind_program(program, debuginfo, slide, frames), 1);
        assert_int_equal(frames[1].by, UNWIND_STACK_TOP);
    }
    program->registers.rip = rip;
}

/* Runs `name` to its end, and asks `file`, which has the same code, at each instruction. All frames
   but the first, which may be found otherwise, have to be found in this way. */
static void check_all_steps(const char *name, const char *file, enum unwind_way way)
{
    struct unwind_frame frames[FRAMES];
    struct calls_kernel asked;
    struct program program;
    size_t deepest = 0;
    size_t depth = 0;
    size_t steps = 0;

    start_program(&program, name);
    assert_true(calls_open(&asked, file));
    const uint64_t slide = program.registers.rip - asked.kernel.entry_vaddr;
    do {
        const size_t count = unwind_program(&program, asked.debuginfo, slide, frames);

        assert_calls(&program, frames, count, 1);
        for (size_t i = 2; i < count; i++)
            assert_int_equal(frames[i].by, way);
        if (program.depth > depth)
            check_wild_call(&program, asked.debuginfo, slide);
        depth = program.depth;
        deepest = depth > deepest ? depth : deepest;
        assert_in_range(++steps, 1, STEPS_MOST);
    } while (step_program(&program));
    assert_in_range(deepest, 6, CALLS_MOST);
    calls_close(&asked);
    end_program(&program);
}

static void frame_pointers_lead_back(void **state)
{
    (void)state;
    check_all_steps("frames", "frames", UNWIND_FRAME_POINTER);
    check_all_steps("frames-optimised", "frames-optimised", UNWIND_FRAME_POINTER);
    check_all_steps("32-frames", "32-frames", UNWIND_FRAME_POINTER);
}

/* Without symbols nobody knows where a function begins, but in the midst of it that does not
   matter. */
static void frame_pointers_lead_back_without_symbols(void **state)
{
    struct unwind_frame frames[FRAMES];
    struct calls_kernel stripped;
    struct program program;

    (void)state;
    start_program(&program, "frames-optimised");
    run_to(&program, "at_saves");
    assert_true(calls_open(&stripped, "frames-stripped"));
    const size_t count = unwind_program(&program, stripped.debuginfo, program.slide, frames);
    assert_calls(&program, frames, count, 1);
    calls_close(&stripped);
    end_program(&program);
}

static void cfi_leads_back(void **state)
{
    (void)state;
    check_all_steps("debug-frame", "debug-frame", UNWIND_CFI);
    check_all_steps("compressed-debug", "compressed-debug", UNWIND_CFI);
    check_all_steps("eh-frame", "eh-frame", UNWIND_CFI);
    check_all_steps("eh-frame", "stripped", UNWIND_CFI);
    check_all_steps("debug-frame", "gzip", UNWIND_CFI);
    check_all_steps("pie", "pie", UNWIND_CFI);
    check_all_steps("eh-frame", "high", UNWIND_CFI);
    check_all_steps("32", "32", UNWIND_CFI);
}

/* Puts the words where the stack of the program goes on downwards, and RSP to the first. */
static void push_words(struct program *program, const uint64_t *words, size_t count)
{
    const size_t word_bytes = program->registers.bits / 8;
    uint64_t *rsp = &program->registers.general[REGISTERS_RSP];

    program->overlay_vaddr = *rsp - OVERLAY_BYTES;
    for (size_t i = 0; i < count; i++)
        memcpy(program->overlay + OVERLAY_BYTES - (count - i) * word_bytes, &words[i], word_bytes);
    *rsp -= count * word_bytes;
}

/* As when an exception came where the program stands: its handler has saved registers, and perhaps
   called a function of the kernel. */
static void check_exception(const char *name, bool in_function, bool has_error_code, uint16_t cs,
                            bool is_found)
{
    struct unwind_frame frames[FRAMES];
    struct program program;

    start_program(&program, name);
    run_to(&program, "at_saves");
    struct registers *registers = &program.registers;
    const uint64_t rip = registers->rip;
    const uint64_t frame[] = {
        rip, cs, registers->rflags, registers->general[REGISTERS_RSP], registers->ss,
    };
    uint64_t words[16] = {0};
    size_t count = 0;

    if (in_function)
        words[count++] = calls_symbol(&program.calls, "stub_return") + program.slide;
    for (size_t i = 0; i < 6; i++)
        words[count++] = 0x1111111111111111 * i;
    if (has_error_code)
        words[count++] = 2;
    for (size_t i = 0; i < (registers->bits == 64 ? 5 : 3); i++)
        words[count++] = frame[i];
    push_words(&program, words, count);
    registers->rip = calls_symbol(&program.calls, in_function ? "leaf" : "stub") + program.slide;

    count = unwind_program(&program, program.calls.debuginfo, program.slide, frames);
    const size_t at = in_function ? 2 : 1;
    if (in_function) {
        assert_int_equal(frames[1].pc, words[0]);
        assert_true(frames[1].is_call);
    }
    if (is_found) {
        assert_calls(&program, frames, count, at + 1);
        assert_int_equal(frames[at].pc, rip);
        assert_int_equal(frames[at].by, UNWIND_EXCEPTION_FRAME);
        assert_false(frames[at].is_call);
    } else {
        for (size_t i = at; i < count; i++)
            assert_int_not_equal(frames[i].by, UNWIND_EXCEPTION_FRAME);
    }
    end_program(&program);
}

static void exception_frames_lead_back(void **state)
{
    static const struct {
        const char *name;
        uint16_t cs;
    } cases[] = {{"eh-frame", 0x33},
                 {"debug-frame", 0x33},
                 {"frames", 0x33},
                 {"32", 0x23},
                 {"32-frames", 0x23}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int in_function = 0; in_function < 2; in_function++) {
            for (int has_error_code = 0; has_error_code < 2; has_error_code++)
                check_exception(cases[i].name, in_function, has_error_code, cases[i].cs, true);
            check_exception(cases[i].name, in_function, false, 0x1b, false);
        }
    }
}

static bool read_nothing(void *context, uint64_t vaddr, void *bytes, size_t count)
{
    (void)context, (void)vaddr, (void)bytes, (void)count;
    return false;
}

static void without_a_stack_there_is_one_frame(void **state)
{
    static const char *const names[] = {"frames", "eh-frame", "debug-frame", "32", "32-frames"};
    const struct unwind_memory memory = {read_nothing, NULL};
    struct unwind_frame frames[FRAMES];
    struct program program;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        start_program(&program, names[i]);
        do
            assert_int_equal(unwind(program.calls.debuginfo, program.slide, &program.registers,
                                    &memory, frames, FRAMES),
                             1);
        while (step_program(&program));
        end_program(&program);
    }
}

/* Frames of one function each: RBP of one leads to the next that is `stride` words above, and that
   of the last to `last`. */
static size_t unwind_chain(struct program *program, size_t count, size_t stride, size_t last,
                           struct unwind_frame *frames)
{
    const uint64_t start = program->registers.general[REGISTERS_RSP] - OVERLAY_BYTES;
    const uint64_t pc = program->returns[program->depth - 1];

    program->overlay_vaddr = start;
    memset(program->overlay, 0, OVERLAY_BYTES);
    for (size_t i = 0; i < count; i++) {
        const size_t next = (i + 1 < count ? i + 1 : last) * stride * 8;
        const uint64_t words[] = {start + next, pc};

        memcpy(program->overlay + i * stride * 8, words, sizeof(words));
    }
    program->registers.general[REGISTERS_RSP] = start;
    program->registers.general[REGISTERS_RBP] = start;
    const size_t found = unwind_program(program, program->calls.debuginfo, program->slide, frames);
    for (size_t i = 1; i < found; i++)
        assert_int_equal(frames[i].pc, pc);
    return found;
}

static void endless_stacks_end(void **state)
{
    struct unwind_frame frames[FRAMES];
    struct program program;

    (void)state;
    start_program(&program, "frames");
    run_to(&program, "at_leaf");
    struct registers registers = program.registers;
    /* Each is its own caller, or its caller's caller. */
    assert_int_equal(unwind_chain(&program, 1, 2, 0, frames), 2);
    program.registers = registers;
    assert_int_equal(unwind_chain(&program, 2, 2, 0, frames), 3);
    program.registers = registers;
    assert_int_equal(unwind_chain(&program, 9, 3, 4, frames), 10);
    /* A recursion that has more calls than anybody wants to see. */
    program.registers = registers;
    assert_int_equal(unwind_chain(&program, OVERLAY_BYTES / 16, 2, 0, frames), FRAMES);
    end_program(&program);
}

/* Memory that holds what an unwinder likes to see, at random, but the same at each look. */
struct chaos {
    uint64_t code, stack, seed;
};

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static uint64_t random_word(const struct chaos *chaos, uint64_t place)
{
    const uint64_t random = mix(mix(place + 1) + chaos->seed);

    switch (random % 8) {
    case 0:
    case 1:
        return chaos->code + (random >> 8) % 0x140;
    case 2:
    case 3:
        return chaos->stack + (random >> 8) % 0x400 / 8 * 8;
    case 4:
        return 0x33;
    case 5:
        return 0x246;
    case 6:
        return (uint64_t)0 - (random >> 8) % 0x40;
    default:
        return random;
    }
}

static bool read_chaos(void *context, uint64_t vaddr, void *bytes, size_t count)
{
    uint8_t *to = bytes;

    for (size_t i = 0; i < count; i++) {
        const uint64_t word = random_word(context, (vaddr + i) / 8);

        to[i] = (uint8_t)(word >> (vaddr + i) % 8 * 8);
    }
    return mix(vaddr / 256) % 16 != 0;
}

static void unwind_chaos(struct debuginfo *debuginfo, struct chaos *chaos, uint16_t cs)
{
    const struct unwind_memory memory = {read_chaos, chaos};
    struct registers registers = {.cs = cs, .bits = cs == CODE_64_BIT ? 64 : 32};
    struct unwind_frame frames[FRAMES];

    chaos->seed++;
    registers.rip = random_word(chaos, 1000);
    for (size_t i = 0; i < REGISTERS_GENERAL_COUNT; i++)
        registers.general[i] = random_word(chaos, 2000 + i);
    const size_t count = unwind(debuginfo, 0, &registers, &memory, frames, FRAMES);
    assert_in_range(count, 1, FRAMES);
    for (size_t i = 1; i < count; i++)
        assert_true(debuginfo_is_code(debuginfo, frames[i].pc - frames[i].is_call));
}

static void random_stacks_are_no_danger(void **state)
{
    static const char *const names[] = {
        "frames", "frames-stripped", "eh-frame", "debug-frame", "high", "32", "32-frames"};
    struct calls_kernel calls;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(calls_open(&calls, names[i]));
        struct chaos chaos = {.code = calls.kernel.entry_vaddr, .stack = 0x7ff000};

        for (int round = 0; round < ROUNDS; round++)
            unwind_chaos(calls.debuginfo, &chaos, strncmp(names[i], "32", 2) == 0 ? 0x23 : 0x33);
        calls_close(&calls);
    }
}

/* Where the section of this name lies in the file. */
static GElf_Shdr find_section(Elf *elf, const char *name)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header = {0};
    size_t names;

    assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
    while ((section = elf_nextscn(elf, section))) {
        assert_non_null(gelf_getshdr(section, &header));
        if (strcmp(elf_strptr(elf, names, header.sh_name), name) == 0)
            return header;
    }
    fail_msg("there is no section %s", name);
    return header;
}

/* Some bytes of a section are changed in a copy of the kernel, at random. */
static int damage_section(const struct calls_kernel *calls, const char *name)
{
    const GElf_Shdr header = find_section(calls->kernel.elf, name);
    const off_t bytes = lseek(calls->kernel.fd, 0, SEEK_END);
    uint8_t *content = malloc((size_t)bytes);
    int fd = support_temporary_file();

    assert_non_null(content);
    assert_int_equal(pread(calls->kernel.fd, content, (size_t)bytes, 0), bytes);
    for (long left = 1 + random() % 4; left > 0; left--)
        content[header.sh_offset + (uint64_t)random() % header.sh_size] ^=
            (uint8_t)(1 << random() % 8);
    assert_int_equal(pwrite(fd, content, (size_t)bytes, 0), bytes);
    free(content);
    return fd;
}

static void check_damaged(const char *name, const char *section)
{
    struct unwind_frame frames[FRAMES];
    struct error error = {0};
    struct program program;

    start_program(&program, name);
    run_to(&program, "at_leaf");
    for (int round = 0; round < DAMAGED_FILES; round++) {
        struct kernel kernel = {.class = program.calls.kernel.class};
        struct debuginfo *debuginfo;

        kernel.fd = damage_section(&program.calls, section);
        assert_true(debuginfo_open(&debuginfo, &kernel, &error));
        unwind_program(&program, debuginfo, program.slide, frames);
        debuginfo_close(debuginfo);
        close(kernel.fd);
    }
    end_program(&program);
}

static void damaged_cfi_is_no_danger(void **state)
{
    (void)state;
    srandom(1);
    check_damaged("eh-frame", ".eh_frame");
    check_damaged("debug-frame", ".debug_frame");
    check_damaged("32", ".eh_frame");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_pointers_lead_back),
        cmocka_unit_test(frame_pointers_lead_back_without_symbols),
        cmocka_unit_test(cfi_leads_back),
        cmocka_unit_test(exception_frames_lead_back),
        cmocka_unit_test(without_a_stack_there_is_one_frame),
        cmocka_unit_test(endless_stacks_end),
        cmocka_unit_test(random_stacks_are_no_danger),
        cmocka_unit_test(damaged_cfi_is_no_danger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
