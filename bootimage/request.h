/*
 * What a kernel asks for, and what of it can be.
 *
 * kernel.c has read the notes. First options override them, then request_check() looks at each by
 * itself, then request_place() at their addresses, once the kernel's own are known. A request that
 * cannot be met is an error; one that was optional is a warning with the same text, and its `met`
 * becomes false. What only the machine can tell, the loader finds out.
 */
#ifndef BOOTIMAGE_REQUEST_H
#define BOOTIMAGE_REQUEST_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stdint.h>

/* The stack of a kernel that asks for none, and the largest one. */
#define REQUEST_STACK_BYTES 0x10000u
#define REQUEST_STACK_MAXIMUM 0x40000000u
/* Where a kernel may be mapped that asks for a random address. */
#define REQUEST_RANDOM_START 0xffffff8000000000ull
#define REQUEST_RANDOM_END 0xffffffffffe00000ull

/* As if the kernel had no note of this type, a BOOTINFO_REQUEST_. */
void request_drop(struct kernel *kernel, uint32_t type);

/* The word takes the place of all notes of this type, a BOOTINFO_REQUEST_. */
bool request_override(struct kernel *kernel, uint32_t type, uint64_t word, struct error *error);

bool request_check(struct kernel *kernel, struct error *error);

/* Also keeps the kernel's segments off the stack. They have to be sound for their protocol. */
bool request_place(struct kernel *kernel, struct error *error);

/* The first word of a request that was made and can be met; else `otherwise`. */
uint64_t request_word(const struct kernel *kernel, uint32_t type, uint64_t otherwise);

/* Bytes of each stack, a multiple of 4096. */
uint64_t request_stack_bytes(const struct kernel *kernel);

#endif
