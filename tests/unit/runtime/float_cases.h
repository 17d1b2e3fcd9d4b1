/*
 * Tests of floating point: operands worth trying, as bits, for float and for double.
 */
#ifndef TESTS_UNIT_RUNTIME_FLOAT_CASES_H
#define TESTS_UNIT_RUNTIME_FLOAT_CASES_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>

#define FLOAT_RANDOM_CASES 1000000

/* Where a format has its fields; not shared with the code under test. */
struct float_layout {
    int fraction_bits;
    int exponent_bits;
    const uint64_t *specials;
    size_t special_count;
};

struct float_pair {
    uint64_t left, right;
};

extern const struct float_layout float_single;
extern const struct float_layout float_double;

/* Any bits, NaN included, but much more often something near an edge. */
uint64_t float_random(const struct float_layout *layout, struct random *random);

/* As float_random(), often with exponents so close that the operands' bits meet. */
struct float_pair float_random_pair(const struct float_layout *layout, struct random *random);

/* All pairs of special values, then FLOAT_RANDOM_CASES random pairs; false after the last. */
struct float_walk {
    const struct float_layout *layout;
    struct random random;
    size_t next;
};
int float_walk_pairs(struct float_walk *walk, struct float_pair *pair);

/* The same for single values. */
int float_walk_values(struct float_walk *walk, uint64_t *value);

/* The bits of a host's number, and back. */
uint32_t float_bits(float value);
uint64_t double_bits(double value);
float float_from_bits(uint32_t bits);
double double_from_bits(uint64_t bits);

#endif
