; The guest by which kvm.c learns whether KVM is of use: a boot sector that goes to 64-bit mode, works
; for a while, and tells QEMU's isa-debug-exit that it did. Under a KVM that cannot do that, or that
; emulates each instruction, it never comes so far, or not in time. Flat binary: a disk of one sector.

PROBE_PADDR     equ 0x7C00
SECTOR_BYTES    equ 512
SIGNATURE       equ 0xAA55
TABLES_PADDR    equ 0x1000              ; PML4, page-directory-pointer table, page directory
PAGE_BYTES      equ 0x1000
TABLES_WORDS    equ 3 * PAGE_BYTES / 2
TABLE           equ 0x03                ; present, writable
LARGE_PAGE      equ 0x83                ; the same, of 2 MiB: all that the probe uses
CR0_PG_PE       equ 1 << 31 | 1 << 0
CR4_PAE         equ 1 << 5
MSR_EFER        equ 0xC0000080
EFER_LME        equ 1 << 8
CODE_64         equ 0x08                ; in this GDT
SUM_PADDR       equ 0x8000
ROUNDS          equ 32 << 20            ; 0.1 seconds where KVM works, minutes where it emulates
EXIT_PORT       equ 0xF4                ; these two are in kvm.c, too
EXIT_CODE       equ 0x2A

bits 16
org PROBE_PADDR
    jmp 0:.segment_0
.segment_0:
    cli
    cld
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov di, TABLES_PADDR
    mov cx, TABLES_WORDS
    rep stosw
    mov word [TABLES_PADDR], TABLES_PADDR + PAGE_BYTES + TABLE
    mov word [TABLES_PADDR + PAGE_BYTES], TABLES_PADDR + 2 * PAGE_BYTES + TABLE
    mov word [TABLES_PADDR + 2 * PAGE_BYTES], LARGE_PAGE
    lgdt [gdt_pointer]
    mov eax, CR4_PAE
    mov cr4, eax
    mov eax, TABLES_PADDR
    mov cr3, eax
    mov ecx, MSR_EFER
    xor edx, edx
    mov eax, EFER_LME
    wrmsr
    mov eax, CR0_PG_PE                  ; to 64-bit mode at once [AMD APM §14.6]
    mov cr0, eax
    jmp CODE_64:long_mode

bits 64
long_mode:
    mov ecx, ROUNDS
.next:
    add [SUM_PADDR], ecx
    dec ecx
    jnz .next
    mov al, EXIT_CODE
    out EXIT_PORT, al
.stop:
    hlt
    jmp .stop

align 8
gdt:
    dq 0
    dq 0x00209B0000000000               ; 64-bit code
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt

    times SECTOR_BYTES - 2 - ($ - $$) db 0
    dw SIGNATURE
