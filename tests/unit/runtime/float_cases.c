/*
 * Tests of floating point: operands worth trying.
 */
#include "float_cases.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Each value stands for two: with the sign bit clear and set. */
static const uint64_t single_specials[] = {
    0x00000000, 0x00000001, 0x00000002, 0x00000003, /* zero, smallest subnormals */
    0x00400000, 0x007FFFFE, 0x007FFFFF,             /* largest subnormals */
    0x00800000, 0x00800001, 0x00FFFFFF, 0x01000000, /* smallest normals */
    0x0C800000, 0x1F800000, 0x20000000, 0x33800000, /* 2^-102, 2^-64, 2^-63, 2^-24 */
    0x33800001, 0x34000000, 0x3EFFFFFF, 0x3F000000, /* above it, 2^-23, 0.5 */
    0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x3FC00000, /* 1, 1.5 */
    0x3FFFFFFF, 0x40000000, 0x40400000, 0x40490FDB, /* 2, 3, pi */
    0x4B000000, 0x4B7FFFFF, 0x4B800000, 0x4B800001, /* 2^23, 2^24 */
    0x4EFFFFFF, 0x4F000000, 0x4F7FFFFF, 0x4F800000, /* 2^31, 2^32 */
    0x5EFFFFFF, 0x5F000000, 0x5F7FFFFF, 0x5F800000, /* 2^63, 2^64 */
    0x7E800000, 0x7EFFFFFF, 0x7F000000, 0x7F7FFFFE, /* 2^126, 2^127 */
    0x7F7FFFFF, 0x7F800000,                         /* largest, infinity */
    0x7F800001, 0x7FA55555, 0x7FBFFFFF,             /* signalling NaN */
    0x7FC00000, 0x7FC00001, 0x7FEAAAAA, 0x7FFFFFFF, /* quiet NaN */
};

static const uint64_t double_specials[] = {
    /* zero, smallest and largest subnormals */
    0x0000000000000000,
    0x0000000000000001,
    0x0000000000000002,
    0x0000000000000003,
    0x0008000000000000,
    0x000FFFFFFFFFFFFE,
    0x000FFFFFFFFFFFFF,
    /* smallest normals */
    0x0010000000000000,
    0x0010000000000001,
    0x001FFFFFFFFFFFFF,
    0x0020000000000000,
    /* around a float's smallest subnormal and normal */
    0x3680000000000000,
    0x3690000000000000,
    0x3690000000000001,
    0x36A0000000000000,
    0x380FFFFFFFFFFFFF,
    0x3810000000000000,
    0x380FFFFFE0000000,
    0x380FFFFFDFFFFFFF,
    /* 2^-54, 2^-53, 2^-52, 0.5 */
    0x3C90000000000000,
    0x3CA0000000000000,
    0x3CA0000000000001,
    0x3CB0000000000000,
    0x3FDFFFFFFFFFFFFF,
    0x3FE0000000000000,
    /* 1, 1.5, 2, 3, pi */
    0x3FEFFFFFFFFFFFFF,
    0x3FF0000000000000,
    0x3FF0000000000001,
    0x3FF8000000000000,
    0x3FFFFFFFFFFFFFFF,
    0x4000000000000000,
    0x4008000000000000,
    0x400921FB54442D18,
    /* halfway between floats, above and below */
    0x3FF0000010000000,
    0x3FF0000030000000,
    0x3FF0000010000001,
    0x3FF000002FFFFFFF,
    /* 2^31, 2^32 */
    0x41DFFFFFFFC00000,
    0x41DFFFFFFFFFFFFF,
    0x41E0000000000000,
    0x41E0000000200000,
    0x41EFFFFFFFE00000,
    0x41F0000000000000,
    /* 2^52, 2^53, 2^63, 2^64, 2^127, 2^128 */
    0x4330000000000000,
    0x433FFFFFFFFFFFFF,
    0x4340000000000000,
    0x4340000000000001,
    0x43DFFFFFFFFFFFFF,
    0x43E0000000000000,
    0x43EFFFFFFFFFFFFF,
    0x43F0000000000000,
    0x47DFFFFFFFFFFFFF,
    0x47E0000000000000,
    0x47EFFFFFFFFFFFFF,
    0x47F0000000000000,
    /* a float's largest, and halfway from it to the next */
    0x47EFFFFFE0000000,
    0x47EFFFFFF0000000,
    0x47EFFFFFEFFFFFFF,
    /* largest, infinity */
    0x7FD0000000000000,
    0x7FDFFFFFFFFFFFFF,
    0x7FE0000000000000,
    0x7FEFFFFFFFFFFFFE,
    0x7FEFFFFFFFFFFFFF,
    0x7FF0000000000000,
    /* signalling NaN, with payloads within and below a float's */
    0x7FF0000000000001,
    0x7FF0000020000000,
    0x7FF5555555555555,
    0x7FF7FFFFFFFFFFFF,
    /* quiet NaN */
    0x7FF8000000000000,
    0x7FF8000000000001,
    0x7FFAAAAAAAAAAAAA,
    0x7FFFFFFFFFFFFFFF,
};

const struct float_layout float_single = {23, 8, single_specials, COUNT(single_specials)};
const struct float_layout float_double = {52, 11, double_specials, COUNT(double_specials)};

static uint64_t low_bits(int count)
{
    return (UINT64_C(1) << count) - 1;
}

static uint64_t compose(const struct float_layout *layout, uint64_t sign, uint64_t exponent,
                        uint64_t fraction)
{
    return (sign & 1) << (layout->fraction_bits + layout->exponent_bits) |
           (exponent & low_bits(layout->exponent_bits)) << layout->fraction_bits |
           (fraction & low_bits(layout->fraction_bits));
}

static uint64_t special(const struct float_layout *layout, size_t index)
{
    const uint64_t sign = index & 1;

    return layout->specials[index / 2] | compose(layout, sign, 0, 0);
}

/* Fractions whose products, sums and conversions often lie halfway, or next to it. */
static uint64_t random_fraction(const struct float_layout *layout, struct random *random)
{
    const int cut = (int)random_below(random, (unsigned int)layout->fraction_bits);
    const uint64_t fraction = random_bits(random) & low_bits(layout->fraction_bits);

    switch (random_below(random, 5)) {
    case 0:
        return fraction & ~low_bits(cut); /* zeros at the end */
    case 1:
        return fraction | low_bits(cut); /* ones at the end */
    case 2:
        return UINT64_C(1) << cut;
    case 3: /* zeros, or ones, with one other bit */
        return (random_bits(random) & 1 ? ~UINT64_C(0) : 0) ^ UINT64_C(1) << cut;
    default:
        return fraction;
    }
}

uint64_t float_random(const struct float_layout *layout, struct random *random)
{
    const uint64_t bits = random_bits(random), top = low_bits(layout->exponent_bits);
    const uint64_t bias = top / 2;

    switch (random_below(random, 8)) {
    case 0:
        return special(layout, random_below(random, 2 * (unsigned int)layout->special_count));
    case 1: /* subnormal, of any size */
        return compose(layout, bits, 0,
                       (bits >> 1 & low_bits(layout->fraction_bits)) >>
                           random_below(random, (unsigned int)layout->fraction_bits));
    case 2: /* the smallest normals */
        return compose(layout, bits, random_below(random, 64), random_fraction(layout, random));
    case 3: /* the largest */
        return compose(layout, bits, top - 1 - random_below(random, 64),
                       random_fraction(layout, random));
    case 4:
    case 5: /* around 1 and the integers */
        return compose(layout, bits, bias - 10 + random_below(random, 150),
                       random_fraction(layout, random));
    case 6:
        return compose(layout, bits, bits >> 1, random_fraction(layout, random));
    default:
        return compose(layout, bits >> 63, bits >> layout->fraction_bits, bits);
    }
}

struct float_pair float_random_pair(const struct float_layout *layout, struct random *random)
{
    struct float_pair pair = {float_random(layout, random), float_random(layout, random)};
    const unsigned int reach = (unsigned int)layout->fraction_bits + 4;
    uint64_t exponent = pair.left >> layout->fraction_bits;

    switch (random_below(random, 3)) {
    case 0: /* the bits meet in sums */
        exponent += random_below(random, 2 * reach) - (uint64_t)reach;
        pair.right = compose(layout, random_bits(random), exponent, pair.right);
        break;
    case 1: /* products and quotients at either end of the range */
        exponent = (random_bits(random) & 1 ? 0 : low_bits(layout->exponent_bits)) - exponent +
                   low_bits(layout->exponent_bits - 1) + random_below(random, 2 * reach) - reach;
        pair.right = compose(layout, random_bits(random), exponent, pair.right);
        break;
    default:
        break;
    }
    if (random_bits(random) & 1)
        return (struct float_pair){pair.right, pair.left};
    return pair;
}

int float_walk_pairs(struct float_walk *walk, struct float_pair *pair)
{
    const size_t values = 2 * walk->layout->special_count, index = walk->next++;

    if (index < values * values)
        *pair = (struct float_pair){special(walk->layout, index / values),
                                    special(walk->layout, index % values)};
    else
        *pair = float_random_pair(walk->layout, &walk->random);
    return index < values * values + FLOAT_RANDOM_CASES;
}

int float_walk_values(struct float_walk *walk, uint64_t *value)
{
    const size_t values = 2 * walk->layout->special_count, index = walk->next++;

    if (index < values)
        *value = special(walk->layout, index);
    else
        *value = float_random(walk->layout, &walk->random);
    return index < values + FLOAT_RANDOM_CASES;
}

uint32_t float_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

uint64_t double_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

float float_from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

double double_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}
