/*
 * Processor exceptions 0 to 31: each is reported on the console and ends the run.
 */
#ifndef KERNEL_EXCEPTIONS_H
#define KERNEL_EXCEPTIONS_H

#include <stdint.h>

/* Loads the kernel's segments and handlers; from here on a mistake is reported, where before it
   reset the machine. */
void exceptions_init(void);

/* Tells the handlers where the stack ends, so that they know an overflow when they see one. The
   page below `lowest_vaddr` is not mapped. */
void exceptions_set_stack(uint64_t lowest_vaddr);

#endif
