/*
 * The entry of a kernel that is written in assembly and asks for what the file ASKS says, by notes.
 */
#include <bootimage/bootinfo.h>

#include ASKS

.global _start
.text
_start:
    jmp kernel_main             /* RDI and the stack are as for a function that was called */

.section .note.GNU-stack, "", @progbits
