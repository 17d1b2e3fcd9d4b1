/*
 * Registers out of QEMU's words: texts as QEMU 7.2 printed them, and what is cut off or missing.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "run/registers.h"

#define SEGMENTS_64_BIT                                                                            \
    "ES =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"                               \
    "CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"                               \
    "SS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"                               \
    "DS =0020 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"                               \
    "FS =0028 1234567812345678 00000000 00000000\n"                                                \
    "GS =0030 ffffffff80000000 00000000 00000000\n"

static const char in_64_bit_code[] =
    "RAX=00000deadb000000 RBX=0000000000000001 RCX=0000000000000002 RDX=0000000000000003\n"
    "RSI=0000000000000004 RDI=ffff800007fdd000 RBP=ffffff7fffffffe0 RSP=ffffff7fffffffe8\n"
    "R8 =0000000000000008 R9 =0000000000000009 R10=000000000000000a R11=000000000000000b\n"
    "R12=000000000000000c R13=000000000000000d R14=000000000000000e R15=000000000000000f\n"
    "RIP=0000000000401013 RFL=00000006 [-----P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n" SEGMENTS_64_BIT
    "LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\n"
    "TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy\n"
    "GDT=     0000000000008010 00000017\n"
    "IDT=     ffffffff80001000 00000fff\n"
    "CR0=80010011 CR2=00000deadb000000 CR3=0000000007fde000 CR4=00000020\n"
    "DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"
    "DR6=00000000ffff0ff0 DR7=0000000000000400\n"
    "CCS=0000000000000000 CCD=ffffff7fffffffe8 CCO=EFLAGS\n"
    "EFER=0000000000000d00\n";

/* In the monitor, a line ends with both. */
static const char of_three_cpus[] =
    "\r\n"
    "CPU#0\r\n"
    "EAX=00000001 EBX=00000000 ECX=0000b79d EDX=00000000\r\n"
    "ESI=0000b79d EDI=00000000 EBP=0000b79d ESP=00006f94\r\n"
    "EIP=0000b7b9 EFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
    "ES =d980 000d9800 0000ffff 00009300\r\n"
    "CS =f000 000f0000 0000ffff 00009b00\r\n"
    "SS =0000 00000000 0000ffff 00009300\r\n"
    "DS =0000 00000000 0000ffff 00009300\r\n"
    "FS =0000 00000000 0000ffff 00009300\r\n"
    "GS =0000 00000000 0000ffff 00009300\r\n"
    "LDT=0000 00000000 0000ffff 00008200\r\n"
    "TR =0000 00000000 0000ffff 00008b00\r\n"
    "GDT=     00000000 00000000\r\n"
    "IDT=     00000000 000003ff\r\n"
    "CR0=00000010 CR2=00000000 CR3=00000000 CR4=00000000\r\n"
    "DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \r\n"
    "DR6=00000000ffff0ff0 DR7=0000000000000400\r\n"
    "EFER=0000000000000000\r\n"
    "FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r\n"
    "FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\r\n"
    "XMM06=0000000000000000 0000000000000000 XMM07=0000000000000000 0000000000000000\r\n"
    "\r\n"
    "CPU#1\r\n"
    "EAX=00000000 EBX=00000000\r\n"
    "\r\n"
    "CPU#12\r\n"
    "EAX=000f49f6 EBX=00000000 ECX=000002ff EDX=00000001\r\n"
    "ESI=00000000 EDI=00000000 EBP=00000000 ESP=00006c5c\r\n"
    "EIP=000fd09a EFL=00000006 [-----P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n"
    "ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
    "CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\r\n"
    "SS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
    "DS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
    "FS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
    "GS =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
    "LDT=0000 00000000 0000ffff 00008200 DPL=0 LDT\r\n"
    "TR =0000 00000000 0000ffff 00008b00 DPL=0 TSS32-busy\r\n"
    "GDT=     000f6180 00000037\r\n"
    "IDT=     000f61be 00000000\r\n"
    "CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000\r\n"
    "EFER=0000000000000000\r\n";

static void registers_of_64_bit_code(void **state)
{
    static const uint64_t general[REGISTERS_GENERAL_COUNT] = {
        0xdeadb000000,
        2,
        3,
        1,
        0xffffff7fffffffe8,
        0xffffff7fffffffe0,
        4,
        0xffff800007fdd000,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
    };
    struct registers registers;

    (void)state;
    assert_true(registers_parse(&registers, in_64_bit_code, strlen(in_64_bit_code)));
    assert_memory_equal(registers.general, general, sizeof(general));
    assert_int_equal(registers.rip, 0x401013);
    assert_int_equal(registers.rflags, 6);
    assert_int_equal(registers.es, 0x10);
    assert_int_equal(registers.cs, 8);
    assert_int_equal(registers.cs_base, 0);
    assert_int_equal(registers.ss, 0x18);
    assert_int_equal(registers.ds, 0x20);
    assert_int_equal(registers.fs, 0x28);
    assert_int_equal(registers.fs_base, 0x1234567812345678);
    assert_int_equal(registers.gs, 0x30);
    assert_int_equal(registers.gs_base, 0xffffffff80000000);
    assert_int_equal(registers.gdt, 0x8010);
    assert_int_equal(registers.idt, 0xffffffff80001000);
    assert_int_equal(registers.idt_limit, 0xfff);
    assert_int_equal(registers.cr0, 0x80010011);
    assert_int_equal(registers.cr2, 0xdeadb000000);
    assert_int_equal(registers.cr3, 0x7fde000);
    assert_int_equal(registers.cr4, 0x20);
    assert_int_equal(registers.efer, 0xd00);
    assert_int_equal(registers.bits, 64);
    assert_false(registers.is_halted);
}

static void registers_of_all_cpus(void **state)
{
    const char *text = of_three_cpus;
    struct registers registers;
    unsigned int cpu;

    (void)state;
    assert_true(registers_next(&registers, &cpu, &text));
    assert_int_equal(cpu, 0);
    assert_int_equal(registers.bits, 16);
    assert_true(registers.is_halted);
    assert_int_equal(registers.general[REGISTERS_RAX], 1);
    assert_int_equal(registers.general[REGISTERS_RSP], 0x6f94);
    assert_int_equal(registers.rip, 0xb7b9);
    assert_int_equal(registers.rflags, 0x246);
    assert_int_equal(registers.cs, 0xf000);
    assert_int_equal(registers.cs_base, 0xf0000);
    assert_int_equal(registers.es, 0xd980);
    assert_int_equal(registers.idt_limit, 0x3ff);

    assert_true(registers_next(&registers, &cpu, &text));
    assert_int_equal(cpu, 12);
    assert_int_equal(registers.bits, 32);
    assert_false(registers.is_halted);
    assert_int_equal(registers.rip, 0xfd09a);
    assert_int_equal(registers.general[REGISTERS_R8], 0);
    assert_int_equal(registers.gdt, 0xf6180);

    assert_false(registers_next(&registers, &cpu, &text));
    assert_false(registers_next(&registers, &cpu, &text));
}

static void without_heading_it_is_cpu_0(void **state)
{
    const char *text = in_64_bit_code;
    struct registers registers;
    unsigned int cpu = 1;

    (void)state;
    assert_true(registers_next(&registers, &cpu, &text));
    assert_int_equal(cpu, 0);
    assert_int_equal(registers.rip, 0x401013);
    assert_false(registers_next(&registers, &cpu, &text));
}

/* Without registers_next(), the first CPU counts. */
static void first_of_two_counts(void **state)
{
    static char both[sizeof(in_64_bit_code) + sizeof(of_three_cpus)];
    struct registers registers;

    (void)state;
    strcpy(both, in_64_bit_code);
    strcat(both, of_three_cpus);
    assert_true(registers_parse(&registers, both, strlen(both)));
    assert_int_equal(registers.bits, 64);
    assert_int_equal(registers.rip, 0x401013);
    assert_int_equal(registers.idt_limit, 0xfff);
    assert_int_equal(registers.cs, 8);
    assert_false(registers.is_halted);
}

/* However short the text, nothing behind its end is read, and only all of it will do. */
static void what_is_cut_off_is_refused(void **state)
{
    const char *last = strstr(in_64_bit_code, "CR4=");
    struct registers registers;

    (void)state;
    for (size_t bytes = 0; bytes < sizeof(in_64_bit_code); bytes++) {
        char *cut = malloc(bytes + 1);

        assert_non_null(cut);
        memmove(cut, in_64_bit_code, bytes);
        bool is_whole = bytes > (size_t)(last - in_64_bit_code) + strlen("CR4=");
        assert_int_equal(registers_parse(&registers, cut, bytes), is_whole);
        free(cut);
    }
}

/* Each register that every CPU has is asked for; the others may be missing. */
static void what_is_missing_is_refused(void **state)
{
    static const struct {
        const char *name;
        bool is_needed;
    } cases[] = {
        {"RAX=", true},  {"RDI=", true},  {"R8 =", true},   {"R15=", true},  {"RIP=", true},
        {"RFL=", true},  {"CS =", true},  {"SS =", true},   {"DS =", true},  {"ES =", true},
        {"FS =", true},  {"GS =", true},  {"GDT=", true},   {"IDT=", true},  {"CR0=", true},
        {"CR2=", true},  {"CR3=", true},  {"CR4=", true},   {"LDT=", false}, {"DR6=", false},
        {"CCO=", false}, {"HLT=", false}, {"EFER=", false},
    };
    struct registers registers;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[sizeof(in_64_bit_code)];

        memcpy(text, in_64_bit_code, sizeof(text));
        memcpy(strstr(text, cases[i].name), "ZZ", 2);
        assert_int_equal(registers_parse(&registers, text, strlen(text)), !cases[i].is_needed);
    }
}

static void names_are_of_the_code(void **state)
{
    (void)state;
    assert_string_equal(registers_name(REGISTERS_RAX, 64), "rax");
    assert_string_equal(registers_name(REGISTERS_RDI, 32), "edi");
    assert_string_equal(registers_name(REGISTERS_RBX, 16), "ebx");
    assert_string_equal(registers_name(REGISTERS_R8, 64), "r8");
    assert_string_equal(registers_name((enum registers_general)15, 64), "r15");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_of_64_bit_code),    cmocka_unit_test(registers_of_all_cpus),
        cmocka_unit_test(without_heading_it_is_cpu_0), cmocka_unit_test(first_of_two_counts),
        cmocka_unit_test(what_is_cut_off_is_refused),  cmocka_unit_test(what_is_missing_is_refused),
        cmocka_unit_test(names_are_of_the_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
