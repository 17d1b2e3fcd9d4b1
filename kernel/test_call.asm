; Calls a test so that it can be left from the midst of an exception handler, on another stack. It
; assumes that one test runs at a time; test.c says what comes of it.

bits 64
default rel

global test_call
global test_escape

section .bss
; RSP and SS within the test_call() that runs.
        alignb 8
escape_stack:
        resq 1
escape_segment:
        resq 1

section .text

; bool test_call(void (*run)(const struct bootinfo *info), const struct bootinfo *info)
;
; Reads RDI (what to call) and RSI (its argument). With RFLAGS and the six registers that a function
; has to keep, the stack is at a multiple of 16 again, as C wants it before a call.
; Stack at escape_stack:  RSP + 0   RBX, RBP, R12, R13, R14, R15
;                             + 48  RFLAGS
;                             + 56  the return address
test_call:
        pushfq
        push r15
        push r14
        push r13
        push r12
        push rbp
        push rbx
        mov [escape_stack], rsp
        mov word [escape_segment], ss
        mov rax, rdi
        mov rdi, rsi
        call rax
        mov eax, 1
.leave:
        pop rbx
        pop rbp
        pop r12
        pop r13
        pop r14
        pop r15
        popfq
        ret

; _Noreturn void test_escape(void)
;
; Goes on behind the call, as if it had returned false. By IRET, as the processor takes no other NMI
; before one. An exception on a stack of its own may have left SS null.
test_escape:
        mov rdx, [escape_stack]
        lea rcx, [test_call.leave]
        xor eax, eax
        mov edi, cs
        push qword [escape_segment]
        push rdx
        pushfq
        push rdi
        push rcx
        iretq

section .note.GNU-stack noalloc noexec nowrite progbits
