; The jump into a 64-bit kernel. This code is copied to a page that the loader's page tables and the
; kernel's both map one to one, executable; it is position-independent and needs no stack of the
; loader once the kernel's tables are in force. The machine it leaves is promised in bootinfo.h.

MSR_EFER            equ 0xC0000080
EFER_LME            equ 1 << 8
EFER_NXE            equ 1 << 11
MSR_PAT             equ 0x277
PAT_LOW             equ 0x00070406      ; write-back, write-through, uncached minus, uncached
PAT_HIGH            equ 0x00070501      ; write-combining, write-protected, the rest again
CPUID_FEATURES      equ 1
CPUID_EDX_PAT       equ 1 << 16
MSR_FS_BASE         equ 0xC0000100
MSR_GS_BASE         equ 0xC0000101
MSR_KERNEL_GS_BASE  equ 0xC0000102
CR4_PAE             equ 1 << 5
CR4_OSFXSR          equ 1 << 9
CR4_OSXMMEXCPT      equ 1 << 10
CR4_LA57            equ 1 << 12
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
SELECTOR_CODE_32    equ 0x18            ; in switch_gdt only

global handover_code
global handover_code_end
global handover_gdt
global handover_gdt_base

section .text
bits 64
; void handover_code(uint64_t tables_paddr, uint64_t entry_vaddr, uint64_t stack_top_vaddr,
;                    uint64_t argument, uint64_t has_nx, uint64_t has_5_levels)
; System V: RDI, RSI, RDX, RCX, R8, R9. Long mode, any number of levels of page tables that map this
; page one to one, writable. Does not return.
;
; The number of levels can only change while paging is off, which long mode does not allow: so the
; way to the kernel's tables leads through 32-bit code. The upper halves of registers do not survive
; that: what is needed behind it is kept in this page.
handover_code:
    cli
    mov [rel entry_vaddr], rsi
    mov [rel stack_top_vaddr], rdx
    mov [rel argument], rcx

    mov eax, EFER_LME
    mov edx, EFER_LME | EFER_NXE
    test r8, r8
    cmovnz eax, edx
    mov [rel efer_value], eax
    mov eax, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT
    mov edx, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_LA57
    test r9, r9
    cmovnz eax, edx
    mov [rel cr4_value], eax

    lea rbx, [rel handover_code]        ; below 4 GiB
    lea eax, [rbx + (.long_mode - handover_code)]
    mov [rel long_mode_pointer], eax
    lea rax, [rel switch_gdt]
    mov [rel switch_gdt_base], rax
    lgdt [rel switch_gdt_pointer]
    lea rax, [rel .protected_mode]
    push SELECTOR_CODE_32
    push rax
    retfq

bits 32
; EBX: this page; EDI: the kernel's tables. There is no stack.
.protected_mode:
    mov eax, SELECTOR_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP
    mov cr0, eax                        ; paging off: no long mode any more

    mov ecx, MSR_EFER
    mov eax, [ebx + (efer_value - handover_code)]
    xor edx, edx
    wrmsr
    mov eax, [ebx + (cr4_value - handover_code)]
    mov cr4, eax
    mov cr3, edi

    mov esi, ebx
    mov eax, CPUID_FEATURES
    xor ecx, ecx
    cpuid
    mov ebx, esi
    test edx, CPUID_EDX_PAT
    jz .no_pat
    mov ecx, MSR_PAT
    mov eax, PAT_LOW
    mov edx, PAT_HIGH
    wrmsr
.no_pat:
    mov eax, CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG
    mov cr0, eax                        ; the kernel's address space from here on
    jmp far [ebx + (long_mode_pointer - handover_code)]

bits 64
.long_mode:
    mov rbx, [rel argument]
    mov rsi, [rel entry_vaddr]
    mov rsp, [rel stack_top_vaddr]
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
; The same, and 32-bit code: in force only on the way.
switch_gdt:
    dq 0
    dq 0x00AF9B000000FFFF
    dq 0x00CF93000000FFFF
    dq 0x00CF9B000000FFFF               ; code: present, ring 0, 32-bit
switch_gdt_end:
align 8
switch_gdt_pointer:
            dw switch_gdt_end - switch_gdt - 1
switch_gdt_base:
            dq 0
long_mode_pointer:
            dd 0
            dw SELECTOR_CODE
efer_value: dd 0
cr4_value:  dd 0
align 8
entry_vaddr:
            dq 0
stack_top_vaddr:
            dq 0
argument:   dq 0
handover_code_end:
