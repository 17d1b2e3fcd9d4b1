/*
 * The kernel's memory as it will be when it is entered, for those who look into it on the host.
 * Addresses are as mapped.
 */
#ifndef BOOTIMAGE_LOADED_H
#define BOOTIMAGE_LOADED_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The segment whose memory has these bytes, all of them, or NULL. The segments are sorted and share
   no byte. */
const struct kernel_segment *loaded_segment(const struct kernel *kernel, uint64_t vaddr,
                                            uint64_t bytes);

/* Where the bytes stand in the file, if all of them do. */
bool loaded_offset(const struct kernel *kernel, uint64_t vaddr, uint64_t bytes, uint64_t *offset);

/* The 8 bytes at an address that some segment has, once they are relocated: relocation_read() has
   been called. Fails only where the file cannot be read. */
bool loaded_word(const struct kernel *kernel, uint64_t vaddr, uint64_t *word, struct error *error);

/* The C string there, with no more than room bytes. *is_text tells whether there is one; fails only
   where the file cannot be read. */
bool loaded_text(const struct kernel *kernel, uint64_t vaddr, char *text, size_t room,
                 bool *is_text, struct error *error);

#endif
