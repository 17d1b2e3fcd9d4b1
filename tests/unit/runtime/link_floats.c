/*
 * Everything that Clang calls for float and double where it may use general registers only: it has
 * to link with nothing but the runtime, and arguments and results have to meet in the registers
 * where both sides expect them. The values themselves are tested natively. All operands are
 * volatile, so that nothing is computed by the compiler.
 */
#include <stdbool.h>
#include <stdint.h>

#include "linux_start.h"

static int check_double(int number)
{
    volatile double three = 3, half = 0.5, zero = 0;
    volatile int five = 5;
    volatile double nan = zero / zero;

    CHECK(three + half == 3.5);
    CHECK(three - half == 2.5);
    CHECK(three * half == 1.5);
    CHECK(half / three == 0x1.5555555555555p-3);
    CHECK(-three == zero - three);
    CHECK(half < three && !(three < half) && !(three < nan));
    CHECK(half <= three && !(three <= half) && !(three <= nan));
    CHECK(three > half && !(half > three) && !(nan > half));
    CHECK(three >= half && !(half >= three) && !(nan >= half));
    CHECK(three == three && three != half && nan != nan && !(nan == nan));
    CHECK(__builtin_isunordered(three, nan) && !__builtin_isunordered(three, half));
    CHECK(__builtin_powi(three, five) == 243);
    CHECK(!(bool)zero && (bool)nan);
    return 0;
}

static int check_float(int number)
{
    volatile float three = 3, half = 0.5f, zero = 0;
    volatile int five = 5;
    volatile float nan = zero / zero;

    CHECK(three + half == 3.5f);
    CHECK(three - half == 2.5f);
    CHECK(three * half == 1.5f);
    CHECK(half / three == 0x1.555556p-3f);
    CHECK(-three == zero - three);
    CHECK(half < three && !(three < half) && !(three < nan));
    CHECK(half <= three && !(three <= half) && !(three <= nan));
    CHECK(three > half && !(half > three) && !(nan > half));
    CHECK(three >= half && !(half >= three) && !(nan >= half));
    CHECK(three == three && three != half && nan != nan && !(nan == nan));
    CHECK(__builtin_isunordered(three, nan) && !__builtin_isunordered(three, half));
    CHECK(__builtin_powif(three, five) == 243);
    CHECK((double)half == 0.5 && (float)(volatile double){0.1} == 0.1f);
    return 0;
}

/* From an integer and back, for each type. */
#define CHECK_INTEGER(type, value)                                                                 \
    do {                                                                                           \
        volatile type integer = (value);                                                           \
        volatile float single = (float)integer;                                                    \
        volatile double wide = (double)integer;                                                    \
        CHECK((type)single == (value) && (type)wide == (value) && wide == (double)single);         \
    } while (0)

static int check_integers(int number)
{
    CHECK_INTEGER(int8_t, -100);
    CHECK_INTEGER(uint16_t, 65535);
    CHECK_INTEGER(int32_t, -1234567);
    CHECK_INTEGER(uint32_t, 0xFFFFFF00);
    CHECK_INTEGER(int64_t, -(INT64_C(1234567) << 40));
    CHECK_INTEGER(uint64_t, UINT64_C(0xFFFFFF) << 40);
    CHECK_INTEGER(__int128_t, -(__int128_t)1234567 * ((__int128_t)1 << 100));
    CHECK_INTEGER(__uint128_t, (__uint128_t)0xFFFFFF << 104);
    return 0;
}

static int run_checks(void)
{
    int failed = check_double(0);

    if (failed == 0)
        failed = check_float(50);
    if (failed == 0)
        failed = check_integers(100);
    return failed;
}
