; A kernel that raises an exception at once. The loader leaves no IDT, so the machine must reset.
bits 64

DEBUGCON equ 0xe9

section .text
global _start
_start:
    mov al, '!'
    out DEBUGCON, al
    ud2
