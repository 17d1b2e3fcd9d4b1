; A boot sector that only says when it came: the counter, as tests/boot/kernels/report.h has it.
bits 16
org 0x7C00
    rdtsc
    mov edi, edx
    mov ebp, eax
    xor ax, ax
    mov ds, ax
    cld
    mov si, prefix
    call text
    call number
    mov edi, ebp
    call number
    mov si, suffix
    call text
.stop:
    cli
    hlt
    jmp .stop
; EDI as 8 digits.
number:
    mov cx, 8
.digit:
    rol edi, 4
    mov bx, di
    and bx, 15
    mov al, [digits + bx]
    out 0xE9, al
    loop .digit
    ret
text:
    lodsb
    test al, al
    jz .end
    out 0xE9, al
    jmp text
.end:
    ret
digits: db "0123456789abcdef"
prefix: db "# start = 0x", 0
suffix: db 10, "done", 10, 0
times 510 - ($ - $$) db 0
    dw 0xAA55
times 516096 - ($ - $$) db 0
