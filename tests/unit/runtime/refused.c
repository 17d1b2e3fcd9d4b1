/*
 * A kernel source with floating point, which GCC refuses with the target's flags: there is no
 * register to return it in, and no way to call for it. (Clang calls kernel/runtime.)
 */
#ifdef WITHOUT_FLOAT
#define NUMBER long
#else
#define NUMBER double
#endif

NUMBER half(NUMBER value);

NUMBER half(NUMBER value)
{
    return value / 2;
}
