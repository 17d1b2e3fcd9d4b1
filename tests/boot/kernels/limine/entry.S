/*
 * The start of the Limine test kernel: notes down the machine before it changes any of it. What the
 * ELF header names is not the entry that the kernel asks for.
 */
.macro keep_msr number, at
    mov $\number, %ecx
    rdmsr
    mov %eax, \at(%r8)
    mov %edx, \at + 4(%r8)
.endm

/* What both entries have in common: RSP as it was, what it led to, and RAX. RAX: struct state. */
.macro keep_stack
    mov (%rsp), %rcx
    lea 8(%rsp), %rdx
    mov %rdx, 0(%rax)
    mov 8(%rsp), %rdx
    mov %rdx, 8(%rax)
    mov %rcx, 24(%rax)
.endm

    .section .text, "ax"
    .globl _start
_start:
    lea wrong(%rip), %rsi
    mov $0xe9, %edx
1:  lodsb
    test %al, %al
    jz 2f
    outb %al, %dx
    jmp 1b
2:  cli
    hlt
    jmp 2b
wrong: .asciz "not ok 1 - the entry that was asked for\n"

    .globl asked_entry
asked_entry:
    push %rax
    lea state(%rip), %rax
    pushfq
    popq 16(%rax)
    call keep_all
    keep_stack
    lea stack_end(%rip), %rsp
    xor %ebp, %ebp
    jmp check

/* RAX: struct state. All other general registers are still those of the entry; afterwards these are
   free. */
keep_all:
    mov %rdi, 32(%rax)
    mov %rbx, 40(%rax)
    or %rcx, 40(%rax)
    or %rdx, 40(%rax)
    or %rsi, 40(%rax)
    or %rbp, 40(%rax)
    or %r8, 40(%rax)
    or %r9, 40(%rax)
    or %r10, 40(%rax)
    or %r11, 40(%rax)
    or %r12, 40(%rax)
    or %r13, 40(%rax)
    or %r14, 40(%rax)
    or %r15, 40(%rax)
    mov %rax, %r8
    mov %cr0, %rdx
    mov %rdx, 48(%r8)
    mov %cr3, %rdx
    mov %rdx, 56(%r8)
    mov %cr4, %rdx
    mov %rdx, 64(%r8)
    keep_msr 0xc0000080, 72
    keep_msr 0x277, 80
    keep_msr 0x2ff, 88
    keep_msr 0x20e, 96
    keep_msr 0x20f, 104
    keep_msr 0x1b, 112
    sub $16, %rsp
    sgdt (%rsp)
    mov 2(%rsp), %rdx
    mov %rdx, 120(%r8)
    movzwl (%rsp), %edx
    mov %rdx, 128(%r8)
    add $16, %rsp
    mov %cs, 136(%r8)
    mov %ss, 138(%r8)
    mov %ds, 140(%r8)
    mov %es, 142(%r8)
    mov %fs, 144(%r8)
    mov %gs, 146(%r8)
    mov %r8, %rax
    ret

/* Where other CPUs go: struct state of their number, extra_argument; then they halt. */
    .globl mp_entry
mp_entry:
    push %rax
    mov 24(%rdi), %rax
    imul $160, %rax, %rax
    push %rcx
    lea mp_states(%rip), %rcx
    add %rcx, %rax
    pop %rcx
    pushfq
    popq 16(%rax)
    call keep_all
    keep_stack
    movq $1, 152(%rax)
0:  cli
    hlt
    jmp 0b

    .section .bss
    .balign 16
    .skip 16384
stack_end:
    .section .note.GNU-stack, "", @progbits
