; A boot sector for the tests of the harness itself (test_harness.py). What it does is chosen when
; it is assembled: -DTRIPLE_FAULT, -DWRITE_DISK, -DHANG or -DPRINT. It assumes nothing but the BIOS.
bits 16
org 0x7c00

DEBUGCON equ 0xe9
COM1 equ 0x3f8

    jmp 0:start
start:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    cld

%ifdef TRIPLE_FAULT
    cli
    lidt [no_idt]
    int3
%endif

%ifdef WRITE_DISK
    mov si, packet                      ; EDD: write LBA 1 from 0:0x7e00
    mov ah, 0x43
    int 0x13
%endif

%ifdef HANG
    sti
.forever:
    hlt
    jmp .forever
%endif

    ; An error line in the loader's form, on the screen, COM1 and the debug console.
    mov si, text
.next:
    lodsb
    test al, al
    jz .stop
    mov dx, COM1
    out dx, al
    out DEBUGCON, al
    mov ah, 0x0e
    xor bx, bx
    int 0x10
    jmp .next
.stop:
    cli
    hlt
    jmp .stop

text: db "bootimage: E99 of the harness", 13, 10, 0
no_idt: times 6 db 0
align 4, db 0
packet: db 16, 0, 1, 0
    dw 0x7e00, 0
    dq 1

times 510 - ($ - $$) db 0
dw 0xaa55
times 516096 - ($ - $$) db 0
