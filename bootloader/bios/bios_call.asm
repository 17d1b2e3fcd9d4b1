; Between long mode and the BIOS: bios_call() goes down to real mode, calls a BIOS service and comes
; back; enter_long_mode is the way up, which stage 2 takes first.
;
; Everything that has to survive lies in memory: BIOSes are known to destroy upper register halves,
; segment limits, the direction and interrupt flags, GDT and IDT. The way down clears PG, EFER.LME,
; PAE and PE; the way up sets them again.

CR0_PE          equ 1 << 0
CR0_PG          equ 1 << 31
CR4_PAE         equ 1 << 5
MSR_EFER        equ 0xC0000080
EFER_LME        equ 1 << 8

SELECTOR_CODE64 equ 0x08
SELECTOR_DATA   equ 0x10
SELECTOR_CODE32 equ 0x18
SELECTOR_CODE16 equ 0x20
SELECTOR_DATA16 equ 0x28

extern require_a20
extern bios_page_tables
extern bios_real_stack_top
; Absolute: offsets in struct bios_registers.
extern bios_registers_eax
extern bios_registers_ebx
extern bios_registers_ecx
extern bios_registers_edx
extern bios_registers_esi
extern bios_registers_edi
extern bios_registers_ebp
extern bios_registers_ds
extern bios_registers_es
extern bios_registers_eflags
extern bios_registers_bytes

global bios_call
global enter_long_mode

section .text
bits 64
; void bios_call(uint8_t vector, struct bios_registers *registers)
; In: EDI = vector, RSI = registers, below 4 GiB. Long mode, interrupts off.
; Keeps what the System V ABI says. The 64-bit stack holds: the callee-saved registers, the IDT.
bios_call:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    sub rsp, 16
    sidt [rsp]
    mov r15, rsi
    mov [saved_rsp], rsp

    shl edi, 2
    mov [vector_address], di
    mov edi, frame
    mov ecx, bios_registers_bytes
    rep movsb
    mov [saved_registers], r15

    lidt [real_mode_idt]
    push SELECTOR_CODE32
    push leave_long_mode
    retfq

returned:
    mov rsp, [saved_rsp]
    mov rdi, [saved_registers]
    mov esi, frame
    mov ecx, bios_registers_bytes
    rep movsb
    lidt [rsp]
    add rsp, 16
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

section .stage2 progbits alloc exec write align=16
bits 32
leave_long_mode:
    mov eax, cr0
    and eax, ~CR0_PG
    mov cr0, eax
    mov ecx, MSR_EFER
    rdmsr
    and eax, ~EFER_LME
    wrmsr
    mov eax, cr4
    and eax, ~CR4_PAE
    mov cr4, eax
    jmp SELECTOR_CODE16:.segment16
bits 16
.segment16:
    mov ax, SELECTOR_DATA16             ; real mode keeps these limits: 64 KiB
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov eax, cr0
    and eax, ~CR0_PE
    mov cr0, eax
    jmp 0:.real
.real:
    xor ax, ax
    mov ds, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, bios_real_stack_top        ; the upper half too
    mov bx, [vector_address]
    mov eax, [bx]
    mov [vector], eax
    mov si, frame
    mov eax, [si + bios_registers_eax]
    mov ebx, [si + bios_registers_ebx]
    mov ecx, [si + bios_registers_ecx]
    mov edx, [si + bios_registers_edx]
    mov edi, [si + bios_registers_edi]
    mov ebp, [si + bios_registers_ebp]
    mov es, [si + bios_registers_es]
    mov ds, [si + bios_registers_ds]
    mov esi, [cs:si + bios_registers_esi]
    stc                                 ; a service that changes no flag has failed
    sti
    pushf                               ; as int does: the service returns by iret or retf 2
    cli
    call far [cs:vector]

    pushf
    cli
    cld
    push esi
    push ds
    push word 0
    pop ds
    mov si, frame
    pop word [si + bios_registers_ds]
    pop dword [si + bios_registers_esi]
    pop word [si + bios_registers_eflags]
    mov [si + bios_registers_es], es
    mov [si + bios_registers_eax], eax
    mov [si + bios_registers_ebx], ebx
    mov [si + bios_registers_ecx], ecx
    mov [si + bios_registers_edx], edx
    mov [si + bios_registers_edi], edi
    mov [si + bios_registers_ebp], ebp
    call require_a20                    ; some BIOSes close it again
    mov edi, returned

; From real mode to the 64-bit code at EDI. Interrupts are off, DS = 0; the page tables are made.
; Leaves RSP undefined and the data segments flat.
enter_long_mode:
    lgdt [gdt_pointer]
    mov eax, cr0
    or eax, CR0_PE
    mov cr0, eax
    jmp SELECTOR_CODE32:.protected
bits 32
.protected:
    mov ax, SELECTOR_DATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov eax, bios_page_tables
    mov cr3, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    mov eax, cr0
    or eax, CR0_PG
    mov cr0, eax
    jmp SELECTOR_CODE64:.long
bits 64
.long:
    jmp rdi

align 8
gdt:
    dq 0
    dq 0x00AF9B000000FFFF               ; code64: present, ring 0, long
    dq 0x00CF93000000FFFF               ; data: flat, 4 GiB
    dq 0x00CF9B000000FFFF               ; code32: flat, 4 GiB
    dq 0x00009B000000FFFF               ; code16: base 0, 64 KiB
    dq 0x000093000000FFFF               ; data16: base 0, 64 KiB
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt
real_mode_idt:                          ; ten bytes, as 64-bit lidt reads them
    dw 0x3FF
    dq 0
; In a page of their own: where code and data share one, every store is self-modifying code to the
; CPU, and to an emulator.
section .data
align 8
saved_rsp:          dq 0
saved_registers:    dq 0
vector:             dd 0                ; offset and segment of the service
vector_address:     dw 0                ; of the interrupt vector
align 8
frame:              times 64 db 0       ; struct bios_registers
