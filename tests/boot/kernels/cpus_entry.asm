; Where cpus.c sends the other CPUs: each notes down the state it came in, in the struct arrival of its
; number, and halts.
bits 64
default rel

ARRIVAL_BYTES equ 34 * 8
CPU_ARGUMENT equ 24
APIC_ID_REGISTER equ 0xFEE00020
APIC_SPURIOUS equ 0xFEE000F0
APIC_LVT_LINT0 equ 0xFEE00350
MSR_APIC_BASE equ 0x1b
MSR_X2APIC_ID equ 0x802
MSR_X2APIC_SPURIOUS equ 0x80f
MSR_X2APIC_LVT_LINT0 equ 0x835

; keep VALUE: the next quadword of the struct
%macro keep 1
    mov [rdi], %1
    add rdi, 8
%endmacro

; keep_msr NUMBER
%macro keep_msr 1
    mov ecx, %1
    rdmsr
    shl rdx, 32
    or rax, rdx
    keep rax
%endmacro

; keep_segment REGISTER
%macro keep_segment 1
    xor eax, eax
    mov ax, %1
    keep rax
%endmacro

section .text
extern cpus_arrivals
global cpus_entry
cpus_entry:
    pushfq                              ; before anything changes them
    ; All of these have to be 0; then they are free to be used.
    or rax, rbx
    or rax, rcx
    or rax, rdx
    or rax, rsi
    or rax, rbp
    or rax, r8
    or rax, r9
    or rax, r10
    or rax, r11
    or rax, r12
    or rax, r13
    or rax, r14
    or rax, r15
    mov r8, rax
    pop r12
    mov rbx, rdi
    mov ecx, [rdi + CPU_ARGUMENT]       ; its number, in the lower half
    imul rcx, rcx, ARRIVAL_BYTES
    mov rdi, cpus_arrivals
    add rdi, rcx
    mov r9, rsp
    mov r10, [rsp]

    keep rbx
    keep r9
    keep r8
    keep r12
    mov rax, cr0
    keep rax
    mov rax, cr3
    keep rax
    mov rax, cr4
    keep rax
    keep_msr 0xC0000080
    keep_msr 0x277
    keep_msr MSR_APIC_BASE
    mov r11, rax
    keep_msr 0xC0000100
    keep_msr 0xC0000101
    keep_msr 0xC0000102
    mov rax, dr7
    keep rax
    sub rsp, 16
    sgdt [rsp]
    mov rax, [rsp + 2]
    keep rax
    sidt [rsp]
    movzx eax, word [rsp]
    keep rax
    mov qword [rsp], 0
    stmxcsr [rsp]
    mov rax, [rsp]
    keep rax
    keep_segment cs
    keep_segment ss
    keep_segment ds
    keep_segment es
    keep_segment fs
    keep_segment gs
    xor eax, eax
    sldt ax
    keep rax
    xor eax, eax
    str ax
    keep rax
    mov qword [rsp], 0
    fnstcw [rsp]
    mov rax, [rsp]
    keep rax
    keep r10
    test r11d, 1 << 10                  ; x2APIC
    jz .xapic
    mov ecx, MSR_X2APIC_ID
    rdmsr
    mov eax, eax
    jmp .id
.xapic:
    mov eax, APIC_ID_REGISTER
    mov eax, [rax]
    shr eax, 24
.id:
    keep rax
    test r11d, 1 << 10
    jz .registers
    mov ecx, MSR_X2APIC_LVT_LINT0
    rdmsr
    mov ebx, eax
    mov ecx, MSR_X2APIC_SPURIOUS
    rdmsr
    jmp .apic
.registers:
    mov eax, APIC_LVT_LINT0
    mov ebx, [rax]
    mov eax, APIC_SPURIOUS
    mov eax, [rax]
.apic:
    keep rbx
    keep rax
    keep_msr 0x2ff
    keep_msr 0x20e
    keep_msr 0x20f
    mov qword [rdi], 1
.stop:
    cli
    hlt
    jmp .stop
