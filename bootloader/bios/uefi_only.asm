; The boot sector of an image that has no loader for BIOSes (--firmware=uefi): it says so on the
; screen, on COM1 at the speed that the BIOS left, and on the debug console, and stops. Flat binary:
; LBA 0, and a gap for LBA 1.

STAGE1_PADDR    equ 0x7C00
SECTOR_BYTES    equ 512
STACK_TOP       equ 0x7C00
BPB_END         equ 0x3E                ; some BIOSes write into what a FAT volume has before this
CODE_BYTES      equ 440                 ; the disk signature follows
VIDEO_TELETYPE  equ 0x0E
VIDEO_GREY      equ 0x0007
SERIAL_SEND     equ 0x01
DEBUG_CONSOLE   equ 0xE9

bits 16
org STAGE1_PADDR
    jmp short start
    nop
    times BPB_END - ($ - $$) db 0
start:
    jmp 0:.segment_0
.segment_0:
    cli
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, STACK_TOP
    sti
    mov si, message
.next:
    cld                                 ; some BIOSes leave it set
    lodsb
    test al, al
    jz .stop
    push si
    push ax
    out DEBUG_CONSOLE, al
    mov ah, SERIAL_SEND
    xor dx, dx                          ; COM1
    int 0x14
    pop ax
    mov ah, VIDEO_TELETYPE
    mov bx, VIDEO_GREY
    int 0x10
    pop si
    xor ax, ax
    mov ds, ax
    jmp .next
.stop:
    cli
    hlt
    jmp .stop

message: db 13, 10, "bootimage: E23 this image boots on UEFI only", 13, 10, 0

    times CODE_BYTES - ($ - $$) db 0
    times 2 * SECTOR_BYTES - ($ - $$) db 0
