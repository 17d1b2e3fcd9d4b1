; The loader's own exceptions, in long mode: one stub for each vector. exceptions.c makes the IDT.

VECTORS         equ 32
STUB_BYTES      equ 16
; Vectors for which the CPU pushes an error code
; [Intel SDM vol. 3 §6.15 "Exception and Interrupt Reference"].
WITH_ERROR_CODE equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

extern exceptions_report

global exceptions_stubs

section .text
bits 64
; const uint8_t exceptions_stubs[32][16]: the entry points.
; Stack: error code (0 where the CPU pushes none), RIP, CS, RFLAGS, RSP, SS.
align STUB_BYTES
exceptions_stubs:
%assign vector 0
%rep VECTORS
align STUB_BYTES
%if (WITH_ERROR_CODE >> vector & 1) == 0
    push 0
%endif
    mov edi, vector
    jmp report
%assign vector vector + 1
%endrep

; exceptions_report(vector, error code, RIP, CR2); does not return.
align STUB_BYTES
report:
    mov rsi, [rsp]
    mov rdx, [rsp + 8]
    mov rcx, cr2
    and rsp, -16
    cld
    call exceptions_report
