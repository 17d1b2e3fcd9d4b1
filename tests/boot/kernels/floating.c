/*
 * A kernel that calculates with double and float, built by Clang for a target without any floating
 * point register: every operation is a call into the runtime library (kernel/runtime).
 *
 * Results are compared by their bits. The operands are volatile, so that nothing is worked out by
 * the compiler.
 */
#include "report.h"

static volatile double one = 1, three = 3, tenth = 0.1, huge = 1e308, tiny = 5e-324;
static volatile float single = 16777216.0F;
static volatile int64_t integer = -123456789012345678;
static volatile uint32_t terms = 1000;

static uint64_t bits(double value)
{
    union {
        double value;
        uint64_t bits;
    } both = {value};

    return both.bits;
}

static double harmonic(uint32_t count)
{
    double sum = 0;

    for (uint32_t n = 1; n <= count; n++)
        sum += 1.0 / n;
    return sum;
}

static void check_arithmetic(void)
{
    report_check(bits(one / three) == 0x3FD5555555555555, "1 / 3 is right to the last bit");
    report_check(bits(tenth + 2 * tenth) == 0x3FD3333333333334, "0.1 + 0.2 is right");
    report_check(bits(one - tenth) == 0x3FECCCCCCCCCCCCD, "1 - 0.1 is right");
    report_check(bits(tenth * tenth) == 0x3F847AE147AE147C, "0.1 * 0.1 is right");
    report_check(bits(harmonic(terms)) == 0x401DF11F45F4E618, "a sum of 1000 quotients is right");
    report_check(bits(huge * 10) == 0x7FF0000000000000, "too large becomes infinity");
    report_check(bits(tiny / 2) == 0 && tiny > 0, "subnormal numbers exist, and end");
}

static void check_comparison(void)
{
    const double nan = (huge * 10) - (huge * 10);

    report_check(!(nan == nan) && nan != nan && !(nan < one) && !(nan > one), "NaN is no number");
    report_check(one < three && three > one && one <= one && -one < tenth, "order is right");
}

static void check_conversion(void)
{
    report_check(bits((double)integer) == 0xC37B69B4BA630F35, "an integer becomes a double");
    report_check((int64_t)(three * 2.5) == 7, "a double becomes an integer");
    report_check(single + 1.0F == single && (double)single + 1 == 16777217.0,
                 "float and double have their own precision");
    report_check(bits((double)(float)tenth) == 0x3FB99999A0000000, "a double becomes a float");
}

void _start(void);

void _start(void)
{
    report_entered();
    check_arithmetic();
    check_comparison();
    check_conversion();
    report_done();
}
