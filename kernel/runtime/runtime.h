/*
 * The four memory functions of <string.h>, which a freestanding compiler lacks but calls all the
 * same: to copy a structure, to clear an array. Kernel and loader may call them by name, too.
 *
 * The other parts of this library are called by compilers only: integer_calls.h, float_calls.h.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);

/* memcmp() where only "differs" counts: Clang calls it in hosted code. */
int bcmp(const void *left, const void *right, size_t bytes);

#endif
