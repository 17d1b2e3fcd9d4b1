/*
 * Integer functions that GCC and Clang call on x86-64 where they have no instructions for it: the
 * names and the results are those of libgcc and compiler-rt. In the names, si, di and ti are
 * integers of 32, 64 and 128 bits.
 *
 * [GCC internals §4.1 "Routines for integer arithmetic"]
 */
#ifndef RUNTIME_INTEGER_CALLS_H
#define RUNTIME_INTEGER_CALLS_H

#include <stdint.h>

/* integer_divide.c; a divisor of 0 raises #DE, as the instruction does. */
__uint128_t __udivmodti4(__uint128_t dividend, __uint128_t divisor, __uint128_t *remainder);
__uint128_t __udivti3(__uint128_t dividend, __uint128_t divisor);
__uint128_t __umodti3(__uint128_t dividend, __uint128_t divisor);
__int128_t __divmodti4(__int128_t dividend, __int128_t divisor, __int128_t *remainder);
__int128_t __divti3(__int128_t dividend, __int128_t divisor);
__int128_t __modti3(__int128_t dividend, __int128_t divisor);

/* integer_multiply.c; the muloXi4 set *overflow to 1 or 0 and give the product's low bits. */
__int128_t __multi3(__int128_t left, __int128_t right);
int32_t __mulosi4(int32_t left, int32_t right, int *overflow);
int64_t __mulodi4(int64_t left, int64_t right, int *overflow);
__int128_t __muloti4(__int128_t left, __int128_t right, int *overflow);

/* integer_shift.c; counts of 0 to 127. */
__int128_t __ashlti3(__int128_t value, int count);
__int128_t __ashrti3(__int128_t value, int count);
__int128_t __lshrti3(__int128_t value, int count);
__int128_t __negti2(__int128_t value);

/* integer_compare.c; 0 less, 1 equal, 2 greater. */
int __cmpti2(__int128_t left, __int128_t right);
int __ucmpti2(__uint128_t left, __uint128_t right);

/* integer_bits.c; clz and ctz of 0 are undefined, ffs of 0 is 0. */
int __clzsi2(uint32_t value);
int __clzdi2(uint64_t value);
int __clzti2(__uint128_t value);
int __ctzsi2(uint32_t value);
int __ctzdi2(uint64_t value);
int __ctzti2(__uint128_t value);
int __ffssi2(uint32_t value);
int __ffsdi2(uint64_t value);
int __ffsti2(__uint128_t value);
int __popcountsi2(uint32_t value);
int __popcountdi2(uint64_t value);
int __popcountti2(__uint128_t value);
int __paritysi2(uint32_t value);
int __paritydi2(uint64_t value);
int __parityti2(__uint128_t value);
uint32_t __bswapsi2(uint32_t value);
uint64_t __bswapdi2(uint64_t value);
__uint128_t __bswapti2(__uint128_t value);

/* integer_trap.c; an overflow raises #UD: code that was compiled with -ftrapv. */
int32_t __absvsi2(int32_t value);
int64_t __absvdi2(int64_t value);
__int128_t __absvti2(__int128_t value);
int32_t __negvsi2(int32_t value);
int64_t __negvdi2(int64_t value);
__int128_t __negvti2(__int128_t value);
int32_t __addvsi3(int32_t left, int32_t right);
int64_t __addvdi3(int64_t left, int64_t right);
__int128_t __addvti3(__int128_t left, __int128_t right);
int32_t __subvsi3(int32_t left, int32_t right);
int64_t __subvdi3(int64_t left, int64_t right);
__int128_t __subvti3(__int128_t left, __int128_t right);
int32_t __mulvsi3(int32_t left, int32_t right);
int64_t __mulvdi3(int64_t left, int64_t right);
__int128_t __mulvti3(__int128_t left, __int128_t right);

#endif
