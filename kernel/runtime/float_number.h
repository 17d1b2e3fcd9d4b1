/*
 * Runtime: numbers of IEEE 754, taken apart and put together again.
 *
 * float_unpack() turns the bits of a float or a double into one and the same struct float_number;
 * an operation is written once, on such numbers; float_pack() rounds the result into the format
 * that is wanted. The significand has 64 bits: 11 more than a double's, the lowest of which is
 * sticky (1 if any 1 was cut off below it), so that the one rounding in float_pack() is right.
 *
 * [IEEE 754-2008 §3.4 "Binary interchange format encodings", §4.3.1, §6.2]
 */
#ifndef RUNTIME_FLOAT_NUMBER_H
#define RUNTIME_FLOAT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

struct float_format {
    int significand_bits; /* with the leading 1, which is not stored */
    int exponent_bits;
};

#define FLOAT_SINGLE ((struct float_format){.significand_bits = 24, .exponent_bits = 8})
#define FLOAT_DOUBLE ((struct float_format){.significand_bits = 53, .exponent_bits = 11})

enum float_kind { FLOAT_ZERO, FLOAT_FINITE, FLOAT_INFINITE, FLOAT_NAN };

struct float_number {
    enum float_kind kind;
    bool negative;
    int exponent;         /* FINITE: the value is significand * 2^(exponent - 63) */
    uint64_t significand; /* FINITE: bit 63 is set; NAN: bit 62 is "quiet", the payload below it */
};

#define FLOAT_LEADING_BIT (UINT64_C(1) << 63)
#define FLOAT_QUIET_BIT (UINT64_C(1) << 62)

static inline int float_fraction_bits(struct float_format format)
{
    return format.significand_bits - 1;
}

static inline int float_bias(struct float_format format)
{
    return (1 << (format.exponent_bits - 1)) - 1;
}

/* The exponent field of infinities and NaN: all ones. */
static inline int float_special_exponent(struct float_format format)
{
    return (1 << format.exponent_bits) - 1;
}

static inline uint64_t float_sign_bit(struct float_format format)
{
    return UINT64_C(1) << (format.significand_bits + format.exponent_bits - 1);
}

static inline uint64_t float_infinity(struct float_format format)
{
    return (uint64_t)float_special_exponent(format) << float_fraction_bits(format);
}

static inline uint64_t float_shift_right_sticky(uint64_t value, int count)
{
    if (count == 0)
        return value;
    if (count > 63)
        return value != 0;
    return value >> count | (value << (64 - count) != 0);
}

/* The finite number significand * 2^(exponent - 63), of which the leading bit may be anywhere. */
static inline struct float_number float_normalised(bool negative, int exponent,
                                                   uint64_t significand)
{
    const int zeros = __builtin_clzll(significand);

    return (struct float_number){.kind = FLOAT_FINITE,
                                 .negative = negative,
                                 .exponent = exponent - zeros,
                                 .significand = significand << zeros};
}

static inline struct float_number float_unpack(struct float_format format, uint64_t bits)
{
    const int field = (int)(bits >> float_fraction_bits(format)) & float_special_exponent(format);
    const uint64_t fraction = bits << (64 - float_fraction_bits(format)) >> 1; /* from bit 62 on */
    struct float_number number = {.kind = FLOAT_FINITE,
                                  .negative = (bits & float_sign_bit(format)) != 0,
                                  .exponent = field - float_bias(format),
                                  .significand = FLOAT_LEADING_BIT | fraction};

    if (field == float_special_exponent(format))
        number.kind = fraction == 0 ? FLOAT_INFINITE : FLOAT_NAN;
    else if (field == 0 && fraction == 0)
        number.kind = FLOAT_ZERO;
    else if (field == 0) /* subnormal: no leading 1, and the exponent of the smallest normals */
        number = float_normalised(number.negative, 1 - float_bias(format), fraction);
    return number;
}

/* To nearest, ties to even. A carry out of the fraction makes the next exponent, as it should. */
static inline uint64_t float_round(struct float_format format, uint64_t significand)
{
    const int spare_bits = 64 - format.significand_bits;
    const uint64_t half = UINT64_C(1) << (spare_bits - 1);
    const uint64_t rest = significand & (2 * half - 1);
    const uint64_t rounded = significand >> spare_bits;

    return rounded + (rest > half || (rest == half && (rounded & 1) != 0));
}

static inline uint64_t float_pack_finite(struct float_format format, struct float_number number)
{
    const int field = number.exponent + float_bias(format);

    if (field >= float_special_exponent(format))
        return float_infinity(format);
    if (field <= 0) /* subnormal, unless it rounds up to the smallest normal */
        return float_round(format, float_shift_right_sticky(number.significand, 1 - field));
    /* The leading 1 adds 1 to the exponent field. */
    return ((uint64_t)(field - 1) << float_fraction_bits(format)) +
           float_round(format, number.significand);
}

static inline uint64_t float_pack(struct float_format format, struct float_number number)
{
    const uint64_t sign = number.negative ? float_sign_bit(format) : 0;
    uint64_t fraction;

    switch (number.kind) {
    case FLOAT_ZERO:
        return sign;
    case FLOAT_FINITE:
        return sign | float_pack_finite(format, number);
    case FLOAT_INFINITE:
        return sign | float_infinity(format);
    case FLOAT_NAN:
        break;
    }
    /* No operation returns a signalling NaN; a payload loses what does not fit. */
    fraction = (number.significand | FLOAT_QUIET_BIT) << 1 >> (64 - float_fraction_bits(format));
    return sign | float_infinity(format) | fraction;
}

#endif
