; Accesses that may fault, for rights.c: each probe makes one and comes back, with or without a page
; fault. The fault is taken on a stack of its own, so that the stack itself may be what is not there.
;
; Assumes the GDT of the loader's layout (code 0x08, data 0x10), and that nothing else interrupts.
bits 64
default rel

PAGE_FAULT equ 14
GATES equ PAGE_FAULT + 1
GATE_BYTES equ 16
CODE_SELECTOR equ 0x08
TSS_SELECTOR equ 0x18
INTERRUPT_GATE_IST1 equ 0x8e01          ; present, DPL 0; the first stack of the TSS
TSS_BYTES equ 104
TSS_IST1 equ 36
STACK_BYTES equ 4096
RSP_IN_FRAME equ 24                     ; from RIP

section .data
align 8
; struct fault in rights.c
global rights_fault
rights_fault:
.happened: dq 0
.error: dq 0
.cr2: dq 0

resume_rip: dq 0
resume_rsp: dq 0

gdt:
        dq 0
        dq 0x00209a0000000000           ; 64-bit code
        dq 0x0000920000000000           ; data
.tss:   dq 0, 0
.end:
gdt_pointer:
        dw gdt.end - gdt - 1
        dq gdt
idt_pointer:
        dw GATES * GATE_BYTES - 1
        dq idt

section .bss
alignb 16
idt: resb GATES * GATE_BYTES
tss: resb TSS_BYTES
alignb 16
resb STACK_BYTES
fault_stack_end:

section .text

; void rights_start(void): from here on a page fault is noted.
global rights_start
rights_start:
        lea rax, [fault_stack_end]
        mov [tss + TSS_IST1], rax
        lea rax, [tss]
        mov rcx, rax
        shl rcx, 40                     ; base 0-23 to bits 16-39, limit to 0-15
        shr rcx, 24
        or rcx, TSS_BYTES - 1
        mov rdx, 0x890000000000         ; present, available 64-bit TSS
        or rcx, rdx
        mov rdx, rax
        shr rdx, 24
        shl rdx, 56                     ; base 24-31
        or rcx, rdx
        mov [gdt.tss], rcx
        shr rax, 32
        mov [gdt.tss + 8], rax

        lea rax, [page_fault]
        mov rdi, idt + PAGE_FAULT * GATE_BYTES
        mov [rdi], ax
        mov word [rdi + 2], CODE_SELECTOR
        mov word [rdi + 4], INTERRUPT_GATE_IST1 & 0xff
        mov byte [rdi + 5], INTERRUPT_GATE_IST1 >> 8
        shr rax, 16
        mov [rdi + 6], ax
        shr rax, 16
        mov [rdi + 8], eax

        lgdt [gdt_pointer]
        lidt [idt_pointer]
        mov ax, TSS_SELECTOR
        ltr ax
        ret

page_fault:
        pop qword [rights_fault.error]
        push rax
        mov rax, cr2
        mov [rights_fault.cr2], rax
        mov qword [rights_fault.happened], 1
        mov rax, [resume_rsp]
        mov [rsp + 8 + RSP_IN_FRAME], rax
        mov rax, [resume_rip]
        mov [rsp + 8], rax
        pop rax
        iretq

%macro probe 1
    global rights_%1
rights_%1:
        mov qword [rights_fault.happened], 0
        mov [resume_rsp], rsp
        lea rax, [.resume]
        mov [resume_rip], rax
%endmacro

; void rights_read(uint64_t vaddr)
probe read
        mov al, [rdi]
.resume:
        ret

; void rights_write(uint64_t vaddr): writes what is there already.
probe write
        or byte [rdi], 0
.resume:
        ret

; void rights_execute(uint64_t vaddr): a near return must stand there.
probe execute
        call rdi
.resume:
        ret

; void rights_overflow(void): push until there is no stack any more.
probe overflow
.more:
        push rax
        jmp .more
.resume:
        ret

section .note.GNU-stack noalloc noexec nowrite progbits
