; A kernel in assembly alone, with no header of bootimage: it writes to the screen through a pointer
; of its own, and to the debug console.
;
; Assumes 64-bit mode, and the screen at its usual address. Nothing comes next: it stops.
bits 64
default rel

DEBUGCON equ 0xe9
LAST_ROW equ 24 * 80 * 2
BRIGHT_GREEN equ 0x0a

section .text
global _start
_start:
    lea rsi, [entered]
    call print

    mov rdi, [screen]
    add rdi, LAST_ROW
    lea rsi, [text]
    mov ah, BRIGHT_GREEN
.next:
    lodsb
    test al, al
    jz .shown
    stosw
    jmp .next
.shown:
    lea rsi, [done]
    call print
.stop:
    cli
    hlt
    jmp .stop

; Prints the string at RSI on the debug console; clobbers AL and RSI.
print:
    lodsb
    test al, al
    jz .end
    out DEBUGCON, al
    jmp print
.end:
    ret

section .rodata
entered: db "entered", 10, 0
text: db "assembly alone", 0
done: db "1..0", 10, "done", 10, 0

section .data
screen: dq 0xb8000
