/*
 * The start of test kernels that are entered in 32-bit protected mode: a header or note, as -D asks
 * for, and an entry that keeps all registers for state.h before it changes any of them.
 */

#ifdef MULTIBOOT1
#define MULTIBOOT1_MAGIC 0x1badb002
    .section .header, "a"
    .balign 4
header:
    .long MULTIBOOT1_MAGIC, MULTIBOOT1, -(MULTIBOOT1_MAGIC + MULTIBOOT1)
    .long header, load_start, FIELDS_LOAD_END, FIELDS_BSS_END, _start
    .long 0, 800, 600, 32
#endif

#ifdef MULTIBOOT2
#define MULTIBOOT2_MAGIC 0xe85250d6
    .section .header, "a"
    .balign 8
header:
    .long MULTIBOOT2_MAGIC, 0, header_end - header, -(MULTIBOOT2_MAGIC + (header_end - header))
    .balign 8
    .short 1, 0                         /* information that is required */
    .long 8 + 9 * 4, 1, 2, 3, 4, 6, 8, 9, 14, 21
    .balign 8
    .short 6, 0                         /* modules aligned */
    .long 8
#ifdef RELOCATABLE
    .balign 8
    .short 10, 0
    .long 24, RELOCATABLE
#endif
#ifdef SERVICES
    .balign 8
    .short 7, 1
    .long 8
    .balign 8
    .short 9, 0
    .long 12, start_64
#endif
#ifdef VIDEO
    .balign 8
    .short 5, 0
    .long 20, 800, 600, 32
#endif
    .balign 8
    .short 0, 0
    .long 8
header_end:
#endif

#ifdef PVH
    .section .note.xen, "a", @note
    .balign 4
    .long 4, PVH, 18
    .asciz "Xen"
#if PVH == 8
    .long _start, 0
#else
    .long _start
#endif
#endif

    .section .text.entry, "ax"
    .globl _start
    .code32
_start:
    movl %eax, state
    movl %ebx, state + 4
    movl %ecx, state + 8
    movl %edx, state + 12
    movl %esi, state + 16
    movl %edi, state + 20
    movl %ebp, state + 24
    movl %esp, state + 28
    movl $stack_end, %esp
    pushfl
    popl state + 32
    call check
0:  cli
    hlt
    jmp 0b

#ifdef SERVICES
    .code64
/* In the firmware's environment: tells that it came, by the debug console, and ends. */
start_64:
    cmpl $0x36d76289, %eax
    jne 0f
    lea services_text(%rip), %rsi
    mov $0xe9, %edx
1:  lodsb
    test %al, %al
    jz 0f
    outb %al, %dx
    jmp 1b
0:  cli
    hlt
    jmp 0b
services_text: .asciz "entered with boot services\n"
    .code32
#endif

    .section .bss
    .balign 16
    .globl state
state:
    .skip 64
    .skip 16384
stack_end:
    .section .note.GNU-stack, "", @progbits
