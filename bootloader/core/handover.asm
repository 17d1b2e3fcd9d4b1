; The jump into a 64-bit kernel. This code is copied to a page that the loader's page tables and the
; kernel's both map one to one, executable; it is position-independent and needs no stack of the
; loader once the kernel's tables are in force. The machine it leaves is promised in bootinfo.h.

MSR_EFER            equ 0xC0000080
EFER_NXE            equ 1 << 11
MSR_FS_BASE         equ 0xC0000100
MSR_GS_BASE         equ 0xC0000101
MSR_KERNEL_GS_BASE  equ 0xC0000102
CR4_PAE             equ 1 << 5
CR4_OSFXSR          equ 1 << 9
CR4_OSXMMEXCPT      equ 1 << 10
CR0_PE              equ 1 << 0
CR0_MP              equ 1 << 1
CR0_ET              equ 1 << 4
CR0_NE              equ 1 << 5
CR0_WP              equ 1 << 16
CR0_PG              equ 1 << 31
RFLAGS_RESERVED     equ 1 << 1          ; always set
DR7_RESERVED        equ 1 << 10         ; always set; no breakpoint
MXCSR_DEFAULT       equ 0x1F80          ; all exceptions masked
SELECTOR_CODE       equ 0x08
SELECTOR_DATA       equ 0x10

global handover_code
global handover_code_end
global handover_gdt
global handover_gdt_base

section .text
bits 64
; void handover_code(uint64_t tables_paddr, uint64_t entry_vaddr, uint64_t stack_top_vaddr,
;                    uint64_t argument, uint64_t has_nx)
; System V: RDI, RSI, RDX, RCX, R8. Long mode, 4 levels of paging. Does not return.
handover_code:
    cli
    mov rbx, rcx
    mov r9, rdx

    mov ecx, MSR_EFER                   ; before tables that use bit 63
    rdmsr
    test r8, r8
    jz .no_nx
    or eax, EFER_NXE
    wrmsr
.no_nx:
    mov eax, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT
    mov cr4, rax
    mov cr3, rdi                        ; the kernel's address space from here on
    mov eax, CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG
    mov cr0, rax

    mov rsp, r9
    push 0                              ; the return address of the entry
    lidt [rel no_idt]
    lgdt [rel gdt_pointer]
    mov eax, SELECTOR_DATA
    mov ss, eax
    mov ds, eax
    mov es, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    lldt ax
    push SELECTOR_CODE
    lea rax, [rel .code_segment]
    push rax
    retfq
.code_segment:
    xor eax, eax                        ; a null selector does not clear the base on every CPU
    xor edx, edx
    mov ecx, MSR_FS_BASE
    wrmsr
    mov ecx, MSR_GS_BASE
    wrmsr
    mov ecx, MSR_KERNEL_GS_BASE
    wrmsr
    mov eax, DR7_RESERVED
    mov dr7, rax

    fninit
    ldmxcsr [rel mxcsr]

    mov rdi, rbx
    push rsi                            ; the entry, for ret
    push RFLAGS_RESERVED
    popfq
    mov eax, 0                          ; xor would change the flags
    mov ebx, eax
    mov ecx, eax
    mov edx, eax
    mov esi, eax
    mov ebp, eax
    mov r8d, eax
    mov r9d, eax
    mov r10d, eax
    mov r11d, eax
    mov r12d, eax
    mov r13d, eax
    mov r14d, eax
    mov r15d, eax
    ret

align 8
mxcsr:      dd MXCSR_DEFAULT
no_idt:     dw 0
            dq 0
gdt_pointer:
            dw gdt_end - handover_gdt - 1
handover_gdt_base:
            dq 0
align 8
; "Accessed" is set, so that the CPU never writes here.
handover_gdt:
    dq 0
    dq 0x00AF9B000000FFFF               ; code: present, ring 0, long
    dq 0x00CF93000000FFFF               ; data: present, ring 0, writable
gdt_end:
handover_code_end:
