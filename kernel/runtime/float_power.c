/*
 * Runtime: float and double to the power of an integer, which Clang calls for __builtin_powi().
 * By squaring, rounded at each step, as libgcc does it: both give the same bits.
 */
#include "float_calls.h"

#include <stdbool.h>

#define DEFINE(name, bits_type, one, multiply, divide)                                             \
    bits_type name(bits_type value, int exponent)                                                  \
    {                                                                                              \
        const bool reciprocal = exponent < 0;                                                      \
        unsigned int rest = reciprocal ? -(unsigned int)exponent : (unsigned int)exponent;         \
        bits_type power = rest % 2 != 0 ? value : (one);                                           \
                                                                                                   \
        while ((rest /= 2) > 0) {                                                                  \
            value = multiply(value, value);                                                        \
            if (rest % 2 != 0)                                                                     \
                power = multiply(power, value);                                                    \
        }                                                                                          \
        return reciprocal ? divide(one, power) : power;                                            \
    }

DEFINE(__powisf2, uint32_t, UINT32_C(0x3F800000), __mulsf3, __divsf3)
DEFINE(__powidf2, uint64_t, UINT64_C(0x3FF0000000000000), __muldf3, __divdf3)
