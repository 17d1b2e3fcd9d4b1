; Stage 1: the boot sector. The BIOS loads it to 0x7C00 and jumps there with the boot drive in DL; all
; else is unknown. It reads the image header and stage 2 (sectors 1, 2, ...) to 0x7E00 and jumps to
; stage 2. A failure is one line, `bootimage: E<number> <status of the BIOS>`, and a stop.
;
; At most 440 bytes. Bytes 3 to 0x3D hold nothing but scratch variables, as some BIOSes write a BIOS
; parameter block there before they start the sector; bytes 0xDA to 0xDF stay 0, as some systems keep
; a disk timestamp there. No 32-bit value is held in a register across a BIOS call.

STAGE1_PADDR    equ 0x7C00
BPB_END         equ 0x3E            ; offset behind the parameter block of FAT12 and FAT16
TIMESTAMP       equ 0xDA            ; offset of the disk timestamp
TIMESTAMP_END   equ 0xE0
MAX_SECTORS     equ 127             ; more per call fails on Phoenix EDD
TRIES           equ 8               ; of one transfer; on the way 127 is halved to 1
EFLAGS_ID_HIGH  equ 1 << (21 - 16)  ; EFLAGS.ID, in the high word
CPUID_EDX_TSC   equ 1 << 4
DEBUG_CONSOLE   equ 0xE9

extern stage2_entry
extern image_header
extern image_header_magic_start      ; absolute: the first two characters
extern stage1_sectors               ; absolute: sectors to read, the header and stage 2
extern error_number_STAGE1_READ
extern error_number_STAGE1_DRIVE

global tsc_stage1
global boot_drive
global stage1_print_character

section .stage1 progbits alloc exec write align=16
bits 16
stage1:
    jmp short start
    nop
    db 0
tsc_stage1:     dq 0                ; time stamp counter at the start
boot_drive:     db 0                ; int 13h drive
tries:          db 0                ; left for this transfer
heads:          dw 0                ; of the drive, where there is no EDD
    times BPB_END - ($ - stage1) db 0

start:
    cld
    jmp 0:.canonical                ; some BIOSes enter at 07C0:0000
.canonical:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax                      ; holds interrupts off for one instruction
    mov sp, STAGE1_PADDR

    ; The first time stamp, where the CPU has CPUID (EFLAGS.ID can be set) and it shows a counter.
    push dx
    push byte EFLAGS_ID_HIGH
    push ax
    popfd
    pushfd
    pop ax
    pop ax
    test al, EFLAGS_ID_HIGH
    jz .no_tsc
    xor eax, eax
    inc ax
    cpuid
    test dl, CPUID_EDX_TSC
    jz .no_tsc
    rdtsc
    mov [tsc_stage1], eax
    mov [tsc_stage1 + 4], edx
.no_tsc:
    pop dx
    sti                             ; some BIOSes read disks only with interrupts on

    ; Some BIOSes pass a drive that is none: all but 0x80 to 0x8F means the first hard disk.
    mov al, dl
    and al, 0xF0
    cmp al, 0x80
    je .drive_ok
    mov dl, 0x80
.drive_ok:
    mov [boot_drive], dl

    ; EDD is there when carry, signature and the bit for packet access all say so
    ; [EDD-3 §8.3.1 "Check Extensions Present"].
    mov ah, 0x41
    mov bx, 0x55AA
    call call_disk
    jc .geometry
    cmp bx, 0xAA55
    jne .geometry
    shr cl, 1
    jc read
.geometry:
    mov ah, 0x08
    call call_disk
    mov al, '0' + error_number_STAGE1_DRIVE
    jc fail
    and cx, 0x3F
    jz fail
    mov [packet.track_sectors], cx
    movzx dx, dh
    inc dx
    mov [heads], dx
    jmp short read

; Print the low digit of AL in hexadecimal.
print_digit:
    and al, 0x0F
    cmp al, 10
    sbb al, 0x69
    das                             ; its character, A to F in capitals
; Print AL on the screen, COM1 and the debug console. Clobbers AX, BX and DX.
stage1_print_character:
    out DEBUG_CONSOLE, al
    mov ah, 0x0E
    mov bx, 0x0007
    int 0x10
    mov ah, 0x01
    xor dx, dx                      ; COM1
    int 0x14
    ret

; All is read. Is it ours? The drive in DL, or the one taken for it, may be another system's disk.
check_header:
    cmp word [image_header], image_header_magic_start
    mov al, '0' + error_number_STAGE1_DRIVE
    jne fail
    jmp stage2_entry

    times TIMESTAMP - ($ - stage1) db 0
    times TIMESTAMP_END - TIMESTAMP db 0

; Say AL, the digit of the error, and AH, the status of the BIOS, and stop. COM1 has the speed that
; the BIOS gave it.
fail:
    mov [message.number], al
    mov ch, ah
    mov si, message
.next:
    cld                             ; some BIOSes return with the direction flag set
    lodsb
    call stage1_print_character
    cmp si, message_end
    jb .next
    mov al, ch
    shr al, 4
    call print_digit
    mov al, ch
    call print_digit
.stop:
    cli
    hlt
    jmp short .stop

; Try again, with half the sectors.
read_failed:
    mov al, '0' + error_number_STAGE1_READ
    dec byte [tries]
    jz fail
    shr word [si + packet.limit - packet], 1 ; a limit once halved stays halved
    adc word [si + packet.limit - packet], 0 ; but is never 0
    xor ah, ah                      ; reset the drive
    call call_disk
    jmp short read.again

; Read [packet.remaining] sectors, each transfer as long as the limit and the 64 KiB boundary allow.
read:
    mov byte [tries], TRIES
.again:
    mov si, packet
    mov ax, [si + packet.segment - packet]
    not ax
    and ah, 0x0F
    shr ax, 5
    inc ax                          ; sectors to the next multiple of 64 KiB, 1 to 128
    cmp ax, [si + packet.limit - packet]
    jb .below_limit
    mov ax, [si + packet.limit - packet]
.below_limit:
    cmp ax, [si + packet.remaining - packet]
    jb .below_remaining
    mov ax, [si + packet.remaining - packet]
.below_remaining:
    mov [si + packet.sectors - packet], ax
    call read_sectors
    mov si, packet                  ; some BIOSes change SI
    jc read_failed
    mov ax, [si + packet.sectors - packet]
    add [si + packet.lba - packet], ax
    sub [si + packet.remaining - packet], ax
    jz check_header
    shl ax, 5
    add [si + packet.segment - packet], ax
    jmp short read

; One transfer as the packet at SI says. Returns carry and AH of int 13h; shortens packet.sectors to
; the end of the track where there is no EDD.
read_sectors:
    mov ah, 0x42                    ; [EDD-3 §8.3.2 "Extended Read"]
    mov cx, [si + packet.track_sectors - packet]
    jcxz call_disk
    mov ax, [si + packet.lba - packet]
    xor dx, dx
    div cx                          ; AX = track, DX = sector in it, from 0
    sub cx, dx
    cmp cx, [si + packet.sectors - packet]
    jae .inside_track
    mov [si + packet.sectors - packet], cx
.inside_track:
    mov cx, dx
    inc cx
    xor dx, dx
    div word [heads]                ; AX = cylinder, below 256 this near the start; DX = head
    mov ch, al
    mov dh, dl
    mov al, [si + packet.sectors - packet]
    mov ah, 0x02
    les bx, [si + packet.offset - packet]
; int 13h, function AH, on the boot drive.
call_disk:
    mov dl, [boot_drive]
    int 0x13
    ret

message:        db 13, 10, "bootimage: E"
.number:        db "0 "
message_end:

; [EDD-3 §8.2 "Device Address Packet"], and the variables of the loop behind it.
packet:
    db 16, 0
.sectors:       dw 0
.offset:        dw 0
.segment:       dw (STAGE1_PADDR + 512) >> 4
.lba:           dq 1
.limit:         dw MAX_SECTORS
.remaining:     dw stage1_sectors
.track_sectors: dw 0                ; 0: there is EDD
