/*
 * A kernel of one request, -DREQUEST=type,words: the machine does not have what it asks for, and the
 * kernel is never entered. It would say so.
 */
#include <bootimage/bootinfo.h>

#define DEBUG_CONSOLE 0xe9

#define ASK(...) BOOTIMAGE_REQUEST(__VA_ARGS__)
ASK(REQUEST)

    .text
    .globl _start
_start:
    mov $'?', %al
    outb %al, $DEBUG_CONSOLE
1:  cli
    hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
