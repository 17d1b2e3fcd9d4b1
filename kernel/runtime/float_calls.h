/*
 * Floating-point functions that Clang calls when it must not use the registers made for it. The
 * names and the results are those of libgcc and compiler-rt. In the names, sf is a float and df a
 * double; si, di and ti are integers of 32, 64 and 128 bits, and uns marks unsigned ones.
 *
 * Under that calling convention a float and a double travel in general registers. They are
 * declared here as the integers of their size, so that compilers without any floating point (GCC
 * with -mgeneral-regs-only) build these functions, too.
 *
 * Not here: _Complex, half and quadruple precision, and the functions of <math.h>.
 *
 * [GCC internals §4.2 "Routines for floating point emulation"]
 */
#ifndef RUNTIME_FLOAT_CALLS_H
#define RUNTIME_FLOAT_CALLS_H

#include <stdint.h>

/*
 * float_arithmetic.c; rounds to nearest, ties to even. A NaN operand is returned quieted, the left
 * one of two; an invalid operation gives the negative quiet NaN: both as SSE does.
 */
uint32_t __addsf3(uint32_t left, uint32_t right);
uint64_t __adddf3(uint64_t left, uint64_t right);
uint32_t __subsf3(uint32_t left, uint32_t right);
uint64_t __subdf3(uint64_t left, uint64_t right);
uint32_t __mulsf3(uint32_t left, uint32_t right);
uint64_t __muldf3(uint64_t left, uint64_t right);
uint32_t __divsf3(uint32_t left, uint32_t right);
uint64_t __divdf3(uint64_t left, uint64_t right);
uint32_t __negsf2(uint32_t value);
uint64_t __negdf2(uint64_t value);
uint32_t __powisf2(uint32_t value, int exponent);
uint64_t __powidf2(uint64_t value, int exponent);

/*
 * float_compare.c; the result compares with 0 as left does with right. If one of them is NaN, it is
 * what makes the comparison of the name false; __unord says whether one is.
 */
int __eqsf2(uint32_t left, uint32_t right);
int __eqdf2(uint64_t left, uint64_t right);
int __nesf2(uint32_t left, uint32_t right);
int __nedf2(uint64_t left, uint64_t right);
int __ltsf2(uint32_t left, uint32_t right);
int __ltdf2(uint64_t left, uint64_t right);
int __lesf2(uint32_t left, uint32_t right);
int __ledf2(uint64_t left, uint64_t right);
int __gtsf2(uint32_t left, uint32_t right);
int __gtdf2(uint64_t left, uint64_t right);
int __gesf2(uint32_t left, uint32_t right);
int __gedf2(uint64_t left, uint64_t right);
int __unordsf2(uint32_t left, uint32_t right);
int __unorddf2(uint64_t left, uint64_t right);

/* float_resize.c */
uint64_t __extendsfdf2(uint32_t value);
uint32_t __truncdfsf2(uint64_t value);

/* float_from_integer.c */
uint32_t __floatsisf(int32_t value);
uint64_t __floatsidf(int32_t value);
uint32_t __floatdisf(int64_t value);
uint64_t __floatdidf(int64_t value);
uint32_t __floattisf(__int128_t value);
uint64_t __floattidf(__int128_t value);
uint32_t __floatunsisf(uint32_t value);
uint64_t __floatunsidf(uint32_t value);
uint32_t __floatundisf(uint64_t value);
uint64_t __floatundidf(uint64_t value);
uint32_t __floatuntisf(__uint128_t value);
uint64_t __floatuntidf(__uint128_t value);

/*
 * float_to_integer.c; rounds towards zero. C leaves a value out of range undefined; here it becomes
 * the nearest integer of the type, and a NaN what the infinity of its sign becomes.
 */
int32_t __fixsfsi(uint32_t value);
int32_t __fixdfsi(uint64_t value);
int64_t __fixsfdi(uint32_t value);
int64_t __fixdfdi(uint64_t value);
__int128_t __fixsfti(uint32_t value);
__int128_t __fixdfti(uint64_t value);
uint32_t __fixunssfsi(uint32_t value);
uint32_t __fixunsdfsi(uint64_t value);
uint64_t __fixunssfdi(uint32_t value);
uint64_t __fixunsdfdi(uint64_t value);
__uint128_t __fixunssfti(uint32_t value);
__uint128_t __fixunsdfti(uint64_t value);

#endif
