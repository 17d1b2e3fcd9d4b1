; Where another CPU wakes up: a page below 1 MiB, entered in real mode with CS = page / 16 and IP = 0,
; all else as after an INIT [Intel SDM vol. 3 §9.4.4.2 "Typical AP Initialization Sequence"]. It takes
; the struct bootinfo_cpu that waits for it and goes on in the hand-over page, in 32-bit code.
; Position-independent; trampoline.c copies it and fills in the settings.

CR0_PE  equ 1 << 0

global trampoline_code
global trampoline_code_end
global trampoline_settings

section .text
bits 16
trampoline_code:
    cli
    cld
    mov ax, cs
    mov ds, ax
    ; Whoever comes late or unbidden finds nothing here, and stays.
    xor ebp, ebp
    xchg ebp, [settings.cpu_paddr - trampoline_code]
    test ebp, ebp
    jz .stop
    mov ebx, [settings.page_paddr - trampoline_code]
    o32 lgdt [settings.gdt_limit - trampoline_code]
    mov eax, CR0_PE                     ; and caches on: an INIT turned them off
    mov cr0, eax
    jmp far dword [settings.entry_paddr - trampoline_code]
.stop:
    hlt
    jmp .stop

; struct settings in trampoline.c.
align 8
trampoline_settings:
settings:
.cpu_paddr:     dd 0
.page_paddr:    dd 0
.entry_paddr:   dd 0
.code_selector: dw 0
.gdt_limit:     dw 0
.gdt_paddr:     dd 0
trampoline_code_end:
