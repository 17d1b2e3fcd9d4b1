; A boot sector that does nothing but read: what the BIOS alone costs, to compare the loader with.
;
; It reads [sectors] sectors from LBA 1 on with 127-sector calls of int 13h, and copies each to
; memory from 16 MiB on if [copy] says so. Then it reports the time stamp counter at its first
; instruction and at the end, in the form of tests/boot/kernels/report.h. bench_boot.py writes it
; over the boot sector of an image, and the two numbers into it. It assumes EDD, and A20 open.
bits 16
org 0x7c00

DEBUGCON equ 0xe9
MAX_SECTORS equ 127
BUFFER_SEGMENT equ 0x1000
COPY_TO equ 0x1000000
CR0_PE equ 1
SELECTOR_FLAT equ 8
PARAMETERS equ 432                      ; offset in the sector

start:
    rdtsc
    mov ecx, eax
    mov ebx, edx
    jmp 0:.canonical
.canonical:
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7c00
    cld
    mov [tsc_start], ecx
    mov [tsc_start + 4], ebx

.next:
    mov eax, [sectors]
    test eax, eax
    jz .done
    cmp eax, MAX_SECTORS
    jbe .count
    mov eax, MAX_SECTORS
.count:
    mov [packet.count], ax
    sub [sectors], eax
    mov si, packet
    mov ah, 0x42
    mov dl, 0x80
    int 0x13
    jc failed
    movzx eax, word [packet.count]
    add [packet.lba], eax
    cmp byte [copy], 0
    je .next
    call copy_up
    jmp .next

.done:
    rdtsc
    mov [tsc_end], eax
    mov [tsc_end + 4], edx
    mov si, text_start
    mov di, tsc_start
    call report
    mov si, text_end
    mov di, tsc_end
    call report
    mov si, text_done
    call print
stop:
    cli
    hlt
    jmp stop

failed:
    mov si, text_failed
    call print
    jmp stop

; Copy the buffer to [destination], which moves on. The BIOS leaves no 4 GiB limits in the segment
; registers, so protected mode is entered for each copy.
copy_up:
    push ds
    push es
    cli
    lgdt [gdt_pointer]
    mov edx, cr0
    or dl, CR0_PE
    mov cr0, edx
    movzx ecx, word [packet.count]
    shl ecx, 7                          ; of 4 bytes
    mov edi, [destination]
    mov ax, SELECTOR_FLAT
    mov ds, ax
    mov es, ax
    mov esi, BUFFER_SEGMENT << 4
    a32 rep movsd
    and dl, ~CR0_PE
    mov cr0, edx
    sti
    pop es
    pop ds
    mov [destination], edi
    ret

; Print the string at SI, then the quadword at DI and a new line.
report:
    call print
    mov cx, 16
    add di, 7
.digit:
    mov al, [di]
    test cl, 1
    jnz .low
    shr al, 4
    jmp .print
.low:
    dec di
.print:
    and al, 0x0f
    cmp al, 10
    sbb al, 0x69
    das
    out DEBUGCON, al
    loop .digit
    mov al, 10
    out DEBUGCON, al
    ret

print:
    lodsb
    test al, al
    jz .end
    out DEBUGCON, al
    jmp print
.end:
    ret

text_start: db "entered", 10, "# stage1 = 0x", 0
text_end: db "# start = 0x", 0
text_failed: db "not ok 1 - read", 10
text_done: db "1..0", 10, "done", 10, 0

align 4, db 0
destination: dd COPY_TO
packet: db 16, 0
.count: dw 0
    dw 0, BUFFER_SEGMENT
.lba: dq 1
gdt_pointer: dw gdt_end - gdt - 1
    dd gdt
align 8, db 0
gdt: dq 0
    dq 0x00cf93000000ffff               ; flat data
gdt_end:

times PARAMETERS - ($ - $$) db 0
sectors: dd 0
copy: db 0
times 440 - ($ - $$) db 0
; Behind here the image's own partition table stays. The variables that are not read from the disk:
absolute 0x7e00
tsc_start: resq 1
tsc_end: resq 1
