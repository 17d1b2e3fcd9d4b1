/*
 * Runtime: arithmetic that stops at an overflow, which GCC calls for code compiled with -ftrapv.
 * There is nobody to abort to: the trap is an invalid opcode, and the kernel's handler of #UD says
 * where.
 */
#include "integer_calls.h"

#include <stdbool.h>

/* The value of a signed operation that may not overflow. */
#define CHECKED(type, builtin, left, right)                                                        \
    type result;                                                                                   \
    if (builtin(left, right, &result))                                                             \
        __builtin_trap();                                                                          \
    return result

int32_t __addvsi3(int32_t left, int32_t right)
{
    CHECKED(int32_t, __builtin_add_overflow, left, right);
}

int64_t __addvdi3(int64_t left, int64_t right)
{
    CHECKED(int64_t, __builtin_add_overflow, left, right);
}

__int128_t __addvti3(__int128_t left, __int128_t right)
{
    CHECKED(__int128_t, __builtin_add_overflow, left, right);
}

int32_t __subvsi3(int32_t left, int32_t right)
{
    CHECKED(int32_t, __builtin_sub_overflow, left, right);
}

int64_t __subvdi3(int64_t left, int64_t right)
{
    CHECKED(int64_t, __builtin_sub_overflow, left, right);
}

__int128_t __subvti3(__int128_t left, __int128_t right)
{
    CHECKED(__int128_t, __builtin_sub_overflow, left, right);
}

int32_t __mulvsi3(int32_t left, int32_t right)
{
    CHECKED(int32_t, __builtin_mul_overflow, left, right);
}

int64_t __mulvdi3(int64_t left, int64_t right)
{
    CHECKED(int64_t, __builtin_mul_overflow, left, right);
}

/* Not by the builtin: it may be a call of __muloti4() or come out in place. */
__int128_t __mulvti3(__int128_t left, __int128_t right)
{
    int overflow;
    const __int128_t product = __muloti4(left, right, &overflow);

    if (overflow)
        __builtin_trap();
    return product;
}

int32_t __negvsi2(int32_t value)
{
    return __subvsi3(0, value);
}

int64_t __negvdi2(int64_t value)
{
    return __subvdi3(0, value);
}

__int128_t __negvti2(__int128_t value)
{
    return __subvti3(0, value);
}

int32_t __absvsi2(int32_t value)
{
    return value < 0 ? __negvsi2(value) : value;
}

int64_t __absvdi2(int64_t value)
{
    return value < 0 ? __negvdi2(value) : value;
}

__int128_t __absvti2(__int128_t value)
{
    return value < 0 ? __negvti2(value) : value;
}
