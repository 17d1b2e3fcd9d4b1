; The way of a CPU into a kernel. This code is copied to a page below 4 GiB that the loader's page
; tables and the kernel's both map one to one, executable; it is position-independent, and reads what
; it needs from the settings at its end. The machine it leaves to a 64-bit kernel is promised in
; bootinfo.h; to a 32-bit kernel it leaves the one that all protocols for those agree on.
;
; All CPUs take the same way, from 32-bit code without paging on: the boot processor, as the number of
; levels of page tables can only change while paging is off, which long mode does not allow, and the
; others, as trampoline.asm brings them there. Without paging is also where the boot processor makes
; the last moves: they may hit the page tables that were in force.

MSR_APIC_BASE       equ 0x1B
MSR_EFER            equ 0xC0000080
MSR_PAT             equ 0x277
MSR_MTRR_DEF_TYPE   equ 0x2FF
MTRR_ENABLE         equ 1 << 11
CPUID_FEATURES      equ 1
CPUID_EDX_PAT       equ 1 << 16
MSR_FS_BASE         equ 0xC0000100
MSR_GS_BASE         equ 0xC0000101
MSR_KERNEL_GS_BASE  equ 0xC0000102
CR4_PAE             equ 1 << 5
CR4_LA57            equ 1 << 12
CR0_PE              equ 1 << 0
CR0_MP              equ 1 << 1
CR0_ET              equ 1 << 4
CR0_NE              equ 1 << 5
CR0_WP              equ 1 << 16
CR0_CD              equ 1 << 30
CR0_PG              equ 1 << 31
CR0_32              equ CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP
RFLAGS_RESERVED     equ 1 << 1          ; always set
DR7_RESERVED        equ 1 << 10         ; always set; no breakpoint
MXCSR_DEFAULT       equ 0x1F80          ; all exceptions masked
; In switch_gdt.
SELECTOR_CODE       equ 0x08
SELECTOR_DATA       equ 0x10
SELECTOR_CODE_32    equ 0x18
; Of a 32-bit kernel, in protected_gdt: the first two as Linux wants them [Linux "The Linux/x86 Boot
; Protocol", "32-bit Boot Protocol"].
PROTECTED_CODE      equ 0x10
PROTECTED_DATA      equ 0x18
PROTECTED_TSS       equ 0x20
TSS_BYTES           equ 0x68

; Of struct bootinfo_cpu in bootinfo.h.
CPU_STATE           equ 8
CPU_STACK_TOP       equ 16
CPU_ARGUMENT        equ 24
CPU_PARKED          equ 2

; Of struct handover_msr in handover.h.
MSR_VALUE           equ 8
MSR_SIZE            equ 16

; Of struct handover_move in handover.h.
MOVE_TO             equ 8
MOVE_BYTES          equ 16
MOVE_SIZE           equ 24

PAGE_BYTES          equ 4096

global handover_code
global handover_code_end
global handover_32
global handover_long_mode
global handover_gdt
global handover_gdt_end
global handover_limine_gdt
global handover_limine_gdt_end
global handover_switch_gdt
global handover_protected_gdt
global handover_settings

section .text
bits 64
; void handover_code(void): the boot processor comes here, in long mode with any number of levels of
; page tables that map this page one to one. Does not return.
handover_code:
    cli
    cld
    lea rsp, [rel handover_code + PAGE_BYTES]   ; what is moved may hit any other stack
    mov rax, cr4
    and eax, CR4_PAE | CR4_LA57         ; with PCIDE, paging cannot be turned off
    mov cr4, rax
    lea rbx, [rel handover_code]
    xor ebp, ebp
    lgdt [rel settings.switch_gdt_pointer]
    lea rax, [rel move]
    push SELECTOR_CODE_32
    push rax
    retfq

bits 32
; EBX: this page. All that is moved lies below 4 GiB, and so does the list.
move:
    mov eax, SELECTOR_DATA
    mov ds, eax
    mov es, eax
    mov eax, CR0_32
    mov cr0, eax
    mov edx, [ebx + (settings.moves_paddr - handover_code)]
    mov eax, [ebx + (settings.move_count - handover_code)]
.next:
    test eax, eax
    jz handover_32
    mov esi, [edx]
    mov edi, [edx + MOVE_TO]
    mov ecx, [edx + MOVE_BYTES]
    shr ecx, 2
    rep movsd
    add edx, MOVE_SIZE
    dec eax
    jmp .next

; EBX: this page. EBP: 0 on the boot processor, else the physical address of the CPU's struct
; bootinfo_cpu. CS is flat 32-bit code, the GDT is switch_gdt. There is no stack.
handover_32:
    mov eax, SELECTOR_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, CR0_32
    mov cr0, eax                        ; paging off: no long mode any more
    test ebp, ebp
    jnz compare_mtrrs

start_paging:
    mov ecx, MSR_EFER
    mov eax, [ebx + (settings.efer - handover_code)]
    xor edx, edx
    wrmsr
    mov eax, [ebx + (settings.cr4 - handover_code)]
    mov cr4, eax
    mov eax, [ebx + (settings.tables_paddr - handover_code)]
    mov cr3, eax
    test eax, eax
    jz protected

    mov esi, ebx
    mov eax, CPUID_FEATURES
    xor ecx, ecx
    cpuid
    mov ebx, esi
    test edx, CPUID_EDX_PAT
    jz .no_pat
    mov ecx, MSR_PAT
    mov eax, [ebx + (settings.pat_low - handover_code)]
    mov edx, [ebx + (settings.pat_high - handover_code)]
    wrmsr
.no_pat:
    mov eax, CR0_32 | CR0_PG
    mov cr0, eax                        ; the kernel's address space from here on
    jmp far [ebx + (settings.long_mode_pointer - handover_code)]

; The memory types of another CPU are to be those of the boot processor [Intel SDM vol. 3 §12.11.8
; "MTRR Considerations in MP Systems"]. As a rule firmware has seen to that, and no cache is flushed.
compare_mtrrs:
    mov esi, [ebx + (settings.mtrrs_paddr - handover_code)]
    mov edi, [ebx + (settings.mtrr_count - handover_code)]
.next:
    test edi, edi
    jz start_paging
    mov ecx, [esi]
    rdmsr
    cmp eax, [esi + MSR_VALUE]
    jne .differs
    cmp edx, [esi + MSR_VALUE + 4]
    jne .differs
    add esi, MSR_SIZE
    dec edi
    jmp .next
.differs:
    mov eax, CR0_32 | CR0_CD
    mov cr0, eax
    wbinvd
    mov ecx, MSR_MTRR_DEF_TYPE
    rdmsr
    and eax, ~MTRR_ENABLE
    wrmsr
    mov esi, [ebx + (settings.mtrrs_paddr - handover_code)]
    mov edi, [ebx + (settings.mtrr_count - handover_code)]
.write:                                 ; the last one turns them on again
    mov ecx, [esi]
    mov eax, [esi + MSR_VALUE]
    mov edx, [esi + MSR_VALUE + 4]
    wrmsr
    add esi, MSR_SIZE
    dec edi
    jnz .write
    wbinvd
    mov eax, CR0_32
    mov cr0, eax
    jmp start_paging

; A 32-bit kernel: flat segments, a task as PVH wants it, all other control bits clear.
protected:
    lidt [ebx + (no_idt - handover_code)]
    lgdt [ebx + (settings.protected_gdt_pointer - handover_code)]
    mov eax, CR0_PE | CR0_ET
    mov cr0, eax
    mov eax, PROTECTED_DATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
    xor eax, eax
    lldt ax
    mov eax, PROTECTED_TSS
    ltr ax
    mov eax, DR7_RESERVED
    mov dr7, eax
    mov esp, [ebx + (settings.protected_esp - handover_code)]
    push RFLAGS_RESERVED
    popfd
    push PROTECTED_CODE
    push dword [ebx + (settings.entry_vaddr - handover_code)]
    mov eax, [ebx + (settings.protected_eax - handover_code)]
    mov esi, [ebx + (settings.protected_esi - handover_code)]
    mov ebx, [ebx + (settings.protected_ebx - handover_code)]
    mov ecx, 0                          ; xor would change the flags
    mov edx, ecx
    mov edi, ecx
    mov ebp, ecx
    retf

bits 64
handover_long_mode:
    mov ebp, ebp                        ; the upper halves are undefined
    mov rdi, [rel settings.argument]
    mov rsp, [rel settings.stack_top_vaddr]
    test ebp, ebp
    jz .stack
    mov rdi, [rel settings.physical_memory]
    add rdi, rbp
    mov rsp, [rdi + CPU_STACK_TOP]
.stack:
    push 0                              ; the return address of the entry
    lidt [rel no_idt]
    lgdt [rel settings.gdt_pointer]
    mov eax, [rel settings.data_selector]
    mov ss, eax
    mov ds, eax
    mov es, eax
    mov eax, [rel settings.thread_selector]
    mov fs, eax
    mov gs, eax
    xor eax, eax
    lldt ax
    mov eax, [rel settings.code_selector]
    push rax
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

    mov rsi, [rel settings.entry_vaddr]
    test ebp, ebp
    jz .enter
    mov eax, [rel settings.apic_mode]
    test eax, eax
    jz .park
    mov esi, eax                        ; an INIT leaves the mode as it was, whatever that is
    mov ecx, MSR_APIC_BASE
    rdmsr
    or eax, esi
    wrmsr
.park:
    mov eax, [rel settings.goto_offset]
    mov rcx, rdi
    mov rdx, [rdi + CPU_ARGUMENT]       ; a struct of its protocol's, if there is one
    test rdx, rdx
    cmovnz rdi, rdx
    mov dword [rcx + CPU_STATE], CPU_PARKED
.parked:
    pause
    mov rsi, [rdi + rax]
    test rsi, rsi
    jz .parked
.enter:
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
align 8
; "Accessed" is set, so that the CPU never writes here.
handover_gdt:
    dq 0
    dq 0x00AF9B000000FFFF               ; code: present, ring 0, long
    dq 0x00CF93000000FFFF               ; data: present, ring 0, writable
handover_gdt_end:
; As Limine wants it [Limine "Machine State at Entry", "x86-64"].
handover_limine_gdt:
    dq 0
    dq 0x00009B000000FFFF               ; code: present, ring 0, 16-bit
    dq 0x000093000000FFFF               ; data: the same, writable
    dq 0x00CF9B000000FFFF               ; code: 32-bit
    dq 0x00CF93000000FFFF               ; data
    dq 0x00AF9B000000FFFF               ; code: long
    dq 0x00CF93000000FFFF               ; data
handover_limine_gdt_end:
; The first, and 32-bit code: in force only on the way.
handover_switch_gdt:
    dq 0
    dq 0x00AF9B000000FFFF
    dq 0x00CF93000000FFFF
    dq 0x00CF9B000000FFFF               ; code: present, ring 0, 32-bit
handover_switch_gdt_end:
handover_protected_gdt:
    dq 0
    dq 0
    dq 0x00CF9B000000FFFF               ; code: present, ring 0, 32-bit
    dq 0x00CF93000000FFFF               ; data: present, ring 0, writable
    dq 0x0000890000000000 | (TSS_BYTES - 1) ; a 32-bit task at 0, which nothing ever reads
handover_protected_gdt_end:

; struct settings in handover.c, which fills in what is 0 here.
align 8
handover_settings:
settings:
.entry_vaddr:       dq 0
.stack_top_vaddr:   dq 0
.argument:          dq 0
.physical_memory:   dq 0
.moves_paddr:       dq 0
.move_count:        dq 0
                    times 3 dw 0
.gdt_pointer:       dw 0
                    dq 0
                    times 3 dw 0
.switch_gdt_pointer:
                    dw handover_switch_gdt_end - handover_switch_gdt - 1
                    dq 0
                    times 3 dw 0
.protected_gdt_pointer:
                    dw handover_protected_gdt_end - handover_protected_gdt - 1
                    dq 0
.tables_paddr:      dd 0
.efer:              dd 0
.cr4:               dd 0
.long_mode_pointer: dd 0
                    dw SELECTOR_CODE
                    dw 0
.apic_mode:         dd 0
.protected_eax:     dd 0
.protected_ebx:     dd 0
.protected_esi:     dd 0
.protected_esp:     dd 0
.code_selector:     dd 0
.data_selector:     dd 0
.thread_selector:   dd 0
.pat_low:           dd 0
.pat_high:          dd 0
.goto_offset:       dd 0
.mtrrs_paddr:       dd 0
.mtrr_count:        dd 0
handover_code_end:
