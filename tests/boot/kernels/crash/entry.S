/*
 * Where the processor enters on the interrupts and exceptions that interrupts.c has gates for. As
 * in many a kernel there is neither a frame pointer nor unwind information here: who wants to know
 * what was interrupted has to find the frame that the processor pushed.
 */

    .macro save
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    .endm

    .macro restore
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    .endm

    .text

/*
 * Stack at entry: RIP, CS, RFLAGS, RSP, SS of the interrupted code. The processor began to push at a
 * multiple of 16: with these 5 words and the 9 registers RSP is at one again, as C wants it.
 */
    .globl timer_entry
    .type timer_entry, @function
timer_entry:
    save
    call timer_tick
    restore
    iretq
    .size timer_entry, . - timer_entry

/* The same, with an error code below RIP. */
    .globl page_fault_entry
    .type page_fault_entry, @function
page_fault_entry:
    save
    subq $8, %rsp
    call page_fault_handle
    addq $8, %rsp
    restore
    addq $8, %rsp
    iretq
    .size page_fault_entry, . - page_fault_entry

    .section .note.GNU-stack, "", @progbits
