/*
 * Runtime: integers to float and double, rounded where they have more bits.
 *
 * [IEEE 754-2008 §5.4.1 "convertFromInt"]
 */
#include "float_calls.h"
#include "float_number.h"
#include "wide.h"

static inline uint64_t from_magnitude(struct float_format format, bool negative, __uint128_t value)
{
    const uint64_t high = wide_high(value), low = wide_low(value);
    struct float_number number;
    int zeros;

    if (value == 0)
        return 0;
    if (high == 0)
        return float_pack(format, float_normalised(negative, 63, low));
    zeros = __builtin_clzll(high);
    value <<= zeros;
    number = (struct float_number){.kind = FLOAT_FINITE,
                                   .negative = negative,
                                   .exponent = 127 - zeros,
                                   .significand = wide_high(value) | (wide_low(value) != 0)};
    return float_pack(format, number);
}

static inline uint64_t from_signed(struct float_format format, __int128_t value)
{
    return from_magnitude(format, value < 0, value < 0 ? -(__uint128_t)value : (__uint128_t)value);
}

static inline uint64_t from_unsigned(struct float_format format, __uint128_t value)
{
    return from_magnitude(format, false, value);
}

#define DEFINE(single_name, double_name, type, from)                                               \
    uint32_t single_name(type value)                                                               \
    {                                                                                              \
        return (uint32_t)from(FLOAT_SINGLE, value);                                                \
    }                                                                                              \
    uint64_t double_name(type value)                                                               \
    {                                                                                              \
        return from(FLOAT_DOUBLE, value);                                                          \
    }

DEFINE(__floatsisf, __floatsidf, int32_t, from_signed)
DEFINE(__floatdisf, __floatdidf, int64_t, from_signed)
DEFINE(__floattisf, __floattidf, __int128_t, from_signed)
DEFINE(__floatunsisf, __floatunsidf, uint32_t, from_unsigned)
DEFINE(__floatundisf, __floatundidf, uint64_t, from_unsigned)
DEFINE(__floatuntisf, __floatuntidf, __uint128_t, from_unsigned)
