; The first instructions of the contract kernel: note down the whole machine as the loader left it,
; then call contract_main.
;
; Assumes nothing but that it runs in 64-bit mode; until the stack pointer is noted down and judged
; it does not touch the stack. struct entry_state in contract.c has the same fields in this order.
bits 64
default rel

PIC1_COMMAND equ 0x20
PIC1_DATA equ 0x21
PIC2_COMMAND equ 0xa0
PIC2_DATA equ 0xa1
PIC_READ_IN_SERVICE equ 0x0b

MSR_APIC_BASE equ 0x1b
MSR_PAT equ 0x277
MSR_EFER equ 0xc0000080
MSR_FS_BASE equ 0xc0000100
MSR_GS_BASE equ 0xc0000101
MSR_KERNEL_GS_BASE equ 0xc0000102
OWN_STACK_BYTES equ 16384

section .data
align 16
global entry_state
entry_state:
.rax: dq 0
.rbx: dq 0
.rcx: dq 0
.rdx: dq 0
.rsi: dq 0
.rdi: dq 0
.rbp: dq 0
.rsp: dq 0
.r8: dq 0
.r9: dq 0
.r10: dq 0
.r11: dq 0
.r12: dq 0
.r13: dq 0
.r14: dq 0
.r15: dq 0
.rflags: dq 0
.cr0: dq 0
.cr3: dq 0
.cr4: dq 0
.efer: dq 0
.dr7: dq 0
.apic_base: dq 0
.pat: dq 0
.fs_base: dq 0
.gs_base: dq 0
.kernel_gs_base: dq 0
.gdt_base: dq 0
.idt_base: dq 0
.gdt_limit: dd 0
.idt_limit: dd 0
.mxcsr: dd 0
.cs: dw 0
.ss: dw 0
.ds: dw 0
.es: dw 0
.fs: dw 0
.gs: dw 0
.ldtr: dw 0
.tr: dw 0
.fcw: dw 0
.fsw: dw 0
.ftw: dw 0
.pics: dw 0
.in_service: dw 0

x87_environment: times 28 db 0
align 8
descriptor: times 10 db 0

section .bss
alignb 16
own_stack: resb OWN_STACK_BYTES
own_stack_end:

; note_msr NUMBER, FIELD
%macro note_msr 2
    mov ecx, %1
    rdmsr
    mov [entry_state.%2], eax
    mov [entry_state.%2 + 4], edx
%endmacro

section .text
extern contract_main
global _start
; void _start(struct bootinfo *): the ELF entry.
_start:
    mov [entry_state.rax], rax
    mov [entry_state.rbx], rbx
    mov [entry_state.rcx], rcx
    mov [entry_state.rdx], rdx
    mov [entry_state.rsi], rsi
    mov [entry_state.rdi], rdi
    mov [entry_state.rbp], rbp
    mov [entry_state.rsp], rsp
    mov [entry_state.r8], r8
    mov [entry_state.r9], r9
    mov [entry_state.r10], r10
    mov [entry_state.r11], r11
    mov [entry_state.r12], r12
    mov [entry_state.r13], r13
    mov [entry_state.r14], r14
    mov [entry_state.r15], r15

    ; The flags need a stack: a page of our own, so that the loader's is as it was.
    lea rsp, [own_stack_end]
    pushfq
    pop qword [entry_state.rflags]

    mov rax, cr0
    mov [entry_state.cr0], rax
    mov rax, cr3
    mov [entry_state.cr3], rax
    mov rax, cr4
    mov [entry_state.cr4], rax
    mov rax, dr7
    mov [entry_state.dr7], rax
    note_msr MSR_EFER, efer
    note_msr MSR_APIC_BASE, apic_base
    note_msr MSR_PAT, pat
    note_msr MSR_FS_BASE, fs_base
    note_msr MSR_GS_BASE, gs_base
    note_msr MSR_KERNEL_GS_BASE, kernel_gs_base

    sgdt [descriptor]
    movzx eax, word [descriptor]
    mov [entry_state.gdt_limit], eax
    mov rax, [descriptor + 2]
    mov [entry_state.gdt_base], rax
    sidt [descriptor]
    movzx eax, word [descriptor]
    mov [entry_state.idt_limit], eax
    mov rax, [descriptor + 2]
    mov [entry_state.idt_base], rax

    mov [entry_state.cs], cs
    mov [entry_state.ss], ss
    mov [entry_state.ds], ds
    mov [entry_state.es], es
    mov [entry_state.fs], fs
    mov [entry_state.gs], gs
    sldt [entry_state.ldtr]
    str [entry_state.tr]

    stmxcsr [entry_state.mxcsr]
    fnstenv [x87_environment]
    mov ax, [x87_environment]
    mov [entry_state.fcw], ax
    mov ax, [x87_environment + 4]
    mov [entry_state.fsw], ax
    mov ax, [x87_environment + 8]
    mov [entry_state.ftw], ax

    in al, PIC1_DATA
    mov [entry_state.pics], al
    in al, PIC2_DATA
    mov [entry_state.pics + 1], al
    mov al, PIC_READ_IN_SERVICE
    out PIC1_COMMAND, al
    out PIC2_COMMAND, al
    in al, PIC1_COMMAND
    mov [entry_state.in_service], al
    in al, PIC2_COMMAND
    mov [entry_state.in_service + 1], al

    mov rdi, [entry_state.rdi]
    call contract_main
.stop:
    cli
    hlt
    jmp .stop
