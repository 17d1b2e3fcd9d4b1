; Where the processor enters on an exception. Each of the 32 vectors has a stub that completes what
; the processor pushed to a struct exceptions_frame (exceptions.c) and goes on to
; exceptions_report(). That does not return, so nothing here restores what was saved.
;
; It assumes the 64-bit code segment of segments.c; RSP is a multiple of 16 before the processor
; pushes, also without a change of stack.

bits 64
default rel

global exceptions_stubs
global segments_load
extern exceptions_report

VECTORS equ 32
STUB_BYTES equ 16               ; EXCEPTIONS_STUB_BYTES in exceptions.c
; A bit for each vector whose error code the processor pushes: 8, 10 to 14, 17, 21, 29 and 30.
WITH_ERROR_CODE equ 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

section .text

; const char exceptions_stubs[VECTORS][STUB_BYTES]
;
; Stack at entry:  RSP + 0   error code, where there is one
;                      + 8   RIP, CS, RFLAGS, RSP, SS of the interrupted code
        align STUB_BYTES
exceptions_stubs:
%assign vector 0
%rep VECTORS
    %if (WITH_ERROR_CODE >> vector & 1) == 0
        push 0
    %endif
        push vector
        jmp near save_registers
        times STUB_BYTES * (vector + 1) - ($ - exceptions_stubs) int3
    %assign vector vector + 1
%endrep

; Stack at entry:  RSP + 0   vector
;                      + 8   error code or 0
;                      + 16  RIP, CS, RFLAGS, RSP, SS of the interrupted code
; The order of the registers is that of struct exceptions_frame, last member first. With them the
; stack is at a multiple of 16 again, as C wants it before a call.
save_registers:
        push r15
        push r14
        push r13
        push r12
        push r11
        push r10
        push r9
        push r8
        push rbp
        push rdi
        push rsi
        push rdx
        push rcx
        push rbx
        push rax
        cld                     ; C code assumes it, the interrupted code may have set it
        mov rdi, rsp
        call exceptions_report  ; _Noreturn void exceptions_report(const struct exceptions_frame *)

; void segments_load(const struct cpu_table *gdt, uint64_t code, uint64_t data)
;
; Reads RDI (what LGDT reads), RSI and RDX (selectors); clobbers RAX. CS changes only by a far
; return: the return address is pushed again, above the selector.
segments_load:
        lgdt [rdi]
        mov ss, edx
        mov ds, edx
        mov es, edx
        xor eax, eax
        mov fs, eax
        mov gs, eax
        pop rax
        push rsi
        push rax
        retfq

section .note.GNU-stack noalloc noexec nowrite progbits
