/*
 * QEMU's log, as QEMU 7.2 wrote it for kernels that failed in these ways (the registers are made
 * up), and as it is when CPUs write side by side. It is fed whole and in small pieces.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run/exception_log.h"

#define RSP UINT64_C(0xffffff7ffffffff8)
#define IDT UINT64_C(0xffffffff80001000)
#define NOT_DELIVERED "check_exception old: 0x8 new 0xd\nTriple fault\n"

static char text[2 << 20];
static size_t text_bytes;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_bytes +=
        (size_t)vsnprintf(text + text_bytes, sizeof(text) - text_bytes, format, arguments);
    va_end(arguments);
    assert_in_range(text_bytes, 1, sizeof(text) - 1);
}

static void add_check(const char *old, const char *new)
{
    add("check_exception old: %s new %s\n", old, new);
}

static void add_registers(uint64_t rip, uint64_t rsp, uint64_t cr2)
{
    add("RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000\n"
        "RSI=0000000000000000 RDI=0000000000000000 RBP=0000000000000000 RSP=%016" PRIx64 "\n"
        "R8 =0000000000000000 R9 =0000000000000000 R10=0000000000000000 R11=0000000000000000\n"
        "R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=0000000000000000\n"
        "RIP=%016" PRIx64 " RFL=00000006 [-----P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
        "ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
        "SS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "DS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "FS =0000 0000000000000000 00000000 00000000\n"
        "GS =0000 0000000000000000 00000000 00000000\n"
        "LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\n"
        "TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy\n"
        "GDT=     0000000000008010 00000017\n"
        "IDT=     %016" PRIx64 " 00000fff\n"
        "CR0=80010011 CR2=%016" PRIx64 " CR3=0000000007fde000 CR4=00000020\n"
        "DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"
        "DR6=00000000ffff0ff0 DR7=0000000000000400\n"
        "CCS=0000000000000000 CCD=ffffff7fffffffe8 CCO=EFLAGS\n"
        "EFER=0000000000000d00\n",
        rsp, rip, IDT, cr2);
}

/* The first of the three pieces of the line. */
static void add_head(unsigned int vector, unsigned int error_code, uint64_t rip, uint64_t rsp)
{
    add("     0: v=%02x e=%04x i=0 cpl=0 IP=0008:%016" PRIx64 " pc=%016" PRIx64
        " SP=0010:%016" PRIx64,
        vector, error_code, rip, rip, rsp);
}

static void add_tail(unsigned int vector, uint64_t cr2)
{
    if (vector == EXCEPTION_PAGE_FAULT)
        add(" CR2=%016" PRIx64, cr2);
    else
        add(" env->regs[R_EAX]=0000000000000000");
}

static void add_exception(unsigned int vector, unsigned int error_code, uint64_t rip, uint64_t cr2)
{
    add_head(vector, error_code, rip, RSP);
    add_tail(vector, cr2);
    add("\n");
    add_registers(rip, RSP, cr2);
}

static int begin_text(void **state)
{
    (void)state;
    text_bytes = 0;
    return 0;
}

/* Whatever the pieces are, all must come to the same. */
static struct exception_log *feed(void)
{
    static struct exception_log whole;
    static struct exception_log pieces;

    exception_log_start(&whole);
    exception_log_feed(&whole, text, text_bytes);
    for (size_t piece = 1; piece < 600; piece += 1 + piece / 3) {
        exception_log_start(&pieces);
        for (size_t at = 0; at < text_bytes; at += piece)
            exception_log_feed(&pieces, text + at,
                               piece < text_bytes - at ? piece : text_bytes - at);
        assert_int_equal(pieces.count, whole.count);
        assert_memory_equal(pieces.kept, whole.kept, sizeof(whole.kept));
        assert_int_equal(pieces.is_triple_fault, whole.is_triple_fault);
        assert_int_equal(pieces.triple_fault_raised, whole.triple_fault_raised);
    }
    return &whole;
}

static void assert_triple_fault(const struct exception_log *log)
{
    uint32_t raised;

    assert_true(exception_log_is_triple_fault(log, &raised));
    assert_int_equal(raised, EXCEPTION_PROTECTION);
}

/* vectors: of the whole chain. */
static void assert_chain(const struct exception_log *log, const char *vectors)
{
    const struct exception *chain[EXCEPTION_LOG_KEPT];
    size_t count = exception_log_chain(log, chain);
    char found[EXCEPTION_LOG_KEPT * 4 + 1] = "";

    for (size_t i = 0; i < count; i++)
        sprintf(found + strlen(found), "%s%u", i ? " " : "", chain[i]->vector);
    assert_string_equal(found, vectors);
}

static void page_fault_without_idt(void **state)
{
    const struct exception *exception;

    (void)state;
    add("CPU Reset (CPU 0)\n");
    add_registers(0xfff0, 0, 0);
    add("SMM: enter\n");
    add_registers(0x401013, RSP, 0);
    add("SMM: after RSM\n");
    add_registers(0x401013, RSP, 0);
    add("Servicing hardware INT=0x08\n");
    add_check("0xffffffff", "0xe");
    add_exception(14, 2, 0x401013, 0xdeadb000000);
    add_check("0xe", "0xd");
    add_exception(8, 0, 0x401013, 0xdeadb000000);
    add(NOT_DELIVERED);
    struct exception_log *log = feed();

    assert_triple_fault(log);
    assert_chain(log, "14 8");
    exception = exception_log_newest(log, 1);
    assert_int_equal(exception->sequence, 1);
    assert_int_equal(exception->vector, 14);
    assert_int_equal(exception->error_code, 2);
    assert_true(exception->has_error_code);
    assert_false(exception->is_software);
    assert_int_equal(exception->during, EXCEPTION_NONE);
    assert_int_equal(exception->registers.rip, 0x401013);
    assert_int_equal(exception->registers.cr2, 0xdeadb000000);
    exception = exception_log_newest(log, 0);
    assert_int_equal(exception->vector, 8);
    assert_int_equal(exception->raised, 13);
    assert_int_equal(exception->during, 14);
    assert_null(exception_log_newest(log, 2));
}

/* QEMU does not say that the second came in delivery of the first: its error code does. */
static void invalid_opcode_without_idt(void **state)
{
    (void)state;
    add_check("0xffffffff", "0x6");
    add_exception(6, 0, 0x401000, 0);
    add_check("0xffffffff", "0xd");
    add_exception(13, 0x62, 0x401000, 0);
    add_check("0xd", "0xd");
    add_exception(8, 0, 0x401000, 0);
    add(NOT_DELIVERED);
    struct exception_log *log = feed();

    assert_triple_fault(log);
    assert_chain(log, "6 13 8");
    assert_int_equal(exception_log_newest(log, 1)->during, 6);
    assert_false(exception_log_newest(log, 2)->has_error_code);
}

/* As above by error codes and page faults, in other ways, and what only looks like it. */
static void deliveries_that_fail(void **state)
{
    static const struct {
        unsigned int first;
        unsigned int second;
        unsigned int error_code;
        uint64_t cr2;
        uint32_t during;
    } cases[] = {
        {6, 13, 0x32, 0, 6},
        {6, 13, 0x33, 0, 6},
        {6, 11, 0x62, 0, 6},
        {0x20, 13, 0x202, 0, 0x20},
        {0x20, 11, 0x102, 0, 0x20},
        {6, 14, 0, IDT + 0x60, 6},
        {6, 14, 0, IDT + 0x6f, 6},
        {0x20, 14, 0, IDT + 0x200, 0x20},
        {6, 14, 2, RSP - 8, 6},
        {6, 14, 2, RSP - 64, 6},
        {6, 13, 0x60, 0, EXCEPTION_NONE},
        {6, 13, 0x72, 0, EXCEPTION_NONE},
        {6, 13, 0, 0, EXCEPTION_NONE},
        {6, 17, 0x62, 0, EXCEPTION_NONE},
        {6, 14, 0, IDT + 0x5f, EXCEPTION_NONE},
        {6, 14, 0, IDT + 0x70, EXCEPTION_NONE},
        {6, 14, 2, IDT + 0x60, EXCEPTION_NONE},
        {6, 14, 2, RSP, EXCEPTION_NONE},
        {6, 14, 2, RSP - 65, EXCEPTION_NONE},
        {6, 14, 0, RSP - 8, EXCEPTION_NONE},
        {7, 14, 0, 0x5000, EXCEPTION_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char second[8];

        begin_text(state);
        sprintf(second, "0x%x", cases[i].second);
        add_exception(cases[i].first, 0, 0x401000, 0);
        add_check("0xffffffff", second);
        add_exception(cases[i].second, cases[i].error_code, 0x401000, cases[i].cr2);
        assert_int_equal(exception_log_newest(feed(), 0)->during, cases[i].during);
        /* At another place, it is another story. */
        add_check("0xffffffff", second);
        add_exception(cases[i].second, cases[i].error_code, 0x401004, cases[i].cr2);
        assert_int_equal(exception_log_newest(feed(), 0)->during, EXCEPTION_NONE);
    }
}

/* What an instruction asked for is no fault, but may fail. */
static void software_interrupts(void **state)
{
    (void)state;
    add("     0: v=80 e=0000 i=1 cpl=3 IP=0008:0000000000401000 pc=0000000000401000 "
        "SP=0010:0000000000007000 env->regs[R_EAX]=0000000000000000\n");
    add_registers(0x401000, 0x7000, 0);
    add("     1: v=0e e=0000 i=1 cpl=3 IP=0008:0000000000401002 pc=0000000000401002 "
        "SP=0010:0000000000007000 CR2=0000000000000000\n");
    add_registers(0x401002, 0x7000, 0);
    struct exception_log *log = feed();
    uint32_t raised;

    assert_int_equal(log->count, 1);
    const struct exception *exception = exception_log_newest(log, 0);
    assert_true(exception->is_software);
    assert_false(exception->has_error_code);
    assert_int_equal(exception->cpl, 3);
    assert_int_equal(exception->during, EXCEPTION_NONE);
    assert_false(exception_log_is_triple_fault(log, &raised));
    assert_int_equal(raised, EXCEPTION_NONE);
}

/* Two CPUs, whose pieces come in an order that none of them had alone. */
static void cpus_side_by_side(void **state)
{
    (void)state;
    add_check("0xffffffff", "0xe");
    add_check("0xa", "0xb");
    add_head(14, 2, 0x401000, RSP);
    add_check("0xffffffff", "0xd");
    add_head(13, 0x28, 0x402000, RSP - 0x1000);
    add_tail(14, 0x1234);
    add_tail(13, 0);
    add("\n\n");
    add_registers(0x402000, RSP - 0x1000, 0);
    add("     7: v=20 e=0000 i=0 cpl=0 IP=0008:0000000000403000 pc=0000000000403000 "
        "SP=0010:0000000000007000 env->regs[R_EAX]=0000000000000000\n");
    add_registers(0x403000, 0x7000, 0);
    add_registers(0x401000, RSP, 0x1234);
    add_exception(8, 0, 0x402000, 0);
    assert_int_equal(exception_log_newest(feed(), 0)->during, EXCEPTION_INVALID_TSS);
    add_check("0xe", "0xd");
    add_exception(8, 0, 0x401000, 0x1234);
    add(NOT_DELIVERED);
    struct exception_log *log = feed();

    assert_int_equal(log->count, 4);
    assert_triple_fault(log);
    assert_chain(log, "14 8");
    assert_int_equal(exception_log_newest(log, 3)->vector, 13);
    assert_int_equal(exception_log_newest(log, 3)->error_code, 0x28);
    assert_int_equal(exception_log_newest(log, 2)->registers.cr2, 0x1234);
}

/* QEMU shows 32 bits of what it prints in full before. */
static void registers_of_32_bit_code(void **state)
{
    (void)state;
    add_check("0xffffffff", "0x0");
    add_head(0, 0, 0x1000, 0xffffffff00008000);
    add("\n"
        "EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000000\n"
        "ESI=00000000 EDI=00000000 EBP=00000000 ESP=00008000\n"
        "EIP=00001000 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
        "ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n"
        "SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "DS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "FS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "GS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
        "GDT=     000f6180 00000037\n"
        "IDT=     000f61be 00000000\n"
        "CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000\n"
        "EFER=0000000000000000\n");
    struct exception_log *log = feed();

    assert_int_equal(log->count, 1);
    assert_int_equal(exception_log_newest(log, 0)->registers.bits, 32);
    assert_chain(log, "0");
}

static void reset_ends_triple_fault(void **state)
{
    uint32_t raised;

    (void)state;
    add(NOT_DELIVERED);
    assert_triple_fault(feed());
    assert_chain(feed(), "");
    add("CPU Reset (CPU 1)\n");
    add_registers(0xfff0, 0, 0);
    assert_triple_fault(feed());
    add("CPU Reset (CPU 0)\n");
    add_registers(0xfff0, 0, 0);
    assert_false(exception_log_is_triple_fault(feed(), &raised));
}

static void only_the_last_are_kept(void **state)
{
    static const struct exception_log *log;

    (void)state;
    for (unsigned int i = 0; i < 3 * EXCEPTION_LOG_KEPT + 5; i++) {
        add_check("0xffffffff", "0xe");
        add_exception(14, 0, 0x401000 + i, 0x1000);
    }
    log = feed();
    assert_int_equal(log->count, 3 * EXCEPTION_LOG_KEPT + 5);
    for (size_t i = 0; i < EXCEPTION_LOG_KEPT; i++) {
        assert_int_equal(exception_log_newest(log, i)->sequence, log->count - i);
        assert_int_equal(exception_log_newest(log, i)->registers.rip,
                         0x401000 + log->count - 1 - i);
    }
    assert_null(exception_log_newest(log, EXCEPTION_LOG_KEPT));
    assert_chain(log, "14");
}

/* A chain of which the first is forgotten, or all came at one place, ends. */
static void long_chains_end(void **state)
{
    const struct exception *chain[EXCEPTION_LOG_KEPT];

    (void)state;
    for (unsigned int i = 0; i < 2 * EXCEPTION_LOG_KEPT; i++) {
        add_check("0xe", "0x6");
        add_exception(6, 0, 0x401000, 0);
        add_check("0x6", "0xe");
        add_exception(14, 0, 0x401000, 0);
    }
    assert_int_equal(exception_log_chain(feed(), chain), EXCEPTION_LOG_KEPT);
}

/* Too long lines, registers without end, and more exceptions begun than there is room for. */
static void nonsense_is_bounded(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3 * EXCEPTION_LOG_CPUS; i++) {
        add_check("0xffffffff", "0xd");
        add_head(13, 0, 0x401000 + i, RSP);
        add("\n");
    }
    add("RAX=0\n");
    for (unsigned int i = 0; i < 2 * EXCEPTION_LOG_DUMP_BYTES; i++)
        add("R%u=1 ", i);
    for (unsigned int i = 0; i < EXCEPTION_LOG_DUMP_BYTES; i++)
        add("\nR%u=1", i);
    add("\n     0: v=0e e=zz\ncheck_exception old: 0xe\n\n CR2=\n");
    add_check("0xffffffff", "0xe");
    add_exception(14, 0, 0x1000, 0);
    struct exception_log *log = feed();

    assert_int_equal(log->count, 1);
    assert_int_equal(exception_log_newest(log, 0)->registers.rip, 0x1000);
}

#define TEST(name) cmocka_unit_test_setup(name, begin_text)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(page_fault_without_idt),  TEST(invalid_opcode_without_idt),
        TEST(deliveries_that_fail),    TEST(software_interrupts),
        TEST(cpus_side_by_side),       TEST(registers_of_32_bit_code),
        TEST(reset_ends_triple_fault), TEST(only_the_last_are_kept),
        TEST(long_chains_end),         TEST(nonsense_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
