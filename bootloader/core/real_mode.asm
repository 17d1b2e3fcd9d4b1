; The way back to real mode, for a kernel that wants the BIOS. real_mode.c copies this into the
; kernel's real-mode area, below 1 MiB; the hand-over page enters it as if it were a 32-bit kernel, in
; flat segments with EBX telling where it lies, a multiple of 16. Position-independent.
; [Intel SDM vol. 3 §10.9.2 "Switching Back to Real-Address Mode"]

CR0_PE          equ 1 << 0
CODE_16         equ 0x08                ; in this GDT
DATA_16         equ 0x10
CODE_DISTANCE   equ 0x20                ; paragraphs from the area to its code, behind the boot sector

global real_mode_code
global real_mode_code_end
global real_mode_settings

section .text
bits 32
real_mode_code:
    mov eax, ebx
    shr eax, 4
    mov [ebx + (real_segment - real_mode_code)], ax
    lea eax, [ebx + (gdt - real_mode_code)]
    mov [ebx + (gdt_pointer.base - real_mode_code)], eax
    mov [ebx + (gdt.code_base - real_mode_code)], bx
    mov eax, ebx
    shr eax, 16
    mov [ebx + (gdt.code_base_high - real_mode_code)], al
    lgdt [ebx + (gdt_pointer - real_mode_code)]
    lidt [ebx + (vectors - real_mode_code)]
    mov eax, DATA_16                    ; limits of 64 KiB, which real mode keeps
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov esp, ebx                        ; for two words, below this code
    mov ss, eax
    push dword CODE_16
    push dword protected_16 - real_mode_code
    retf

bits 16
protected_16:
    mov eax, cr0
    and al, ~CR0_PE
    mov cr0, eax
    db 0xEA                             ; jmp far, to the same code by its real-mode segment
    dw real - real_mode_code
real_segment:
    dw 0
real:
    mov cx, [cs:real_mode_settings.segment - real_mode_code]
    mov bp, [cs:real_mode_settings.stack - real_mode_code]
    mov ds, cx
    mov es, cx
    mov fs, cx
    mov gs, cx
    mov ss, cx
    movzx esp, bp
    add cx, CODE_DISTANCE
    xor eax, eax
    push cx
    push ax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp
    retf

align 8
gdt:
    dq 0
    dw 0xFFFF                           ; 16-bit code, where this lies
.code_base:
    dw 0
.code_base_high:
    db 0, 0x9B, 0, 0
    dw 0xFFFF, 0                        ; 16-bit data at 0
    db 0, 0x93, 0, 0
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
.base:
    dd 0
vectors:
    dw 0x3FF
    dd 0
; struct settings in real_mode.c.
align 4
real_mode_settings:
.segment:   dw 0
.stack:     dw 0
real_mode_code_end:
