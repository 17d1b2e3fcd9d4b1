; A hostile BIOS. This boot sector and its resident part lie in front of an unchanged image; the
; resident part hooks int 10h, 13h and 15h, moves the image's sectors to their place, and then starts
; the image's own boot sector as a BIOS does.
;
; With its settings as they stand here it is a well-behaved BIOS. The tests (shim.py) overwrite
; settings, each a quadword, to give it the quirks of real ones, and read its counters afterwards.
; What no BIOS can be asked for (a write, a read beyond the image, ...) it reports on port 0xE9.

BOOT_SECTOR_PADDR       equ 0x7C00
BPB_OFFSET              equ 3
BPB_END                 equ 0x3E
SECTOR_BYTES            equ 512
SECTOR_SHIFT            equ 9
SHIM_SECTORS            equ 32          ; the image begins at this LBA
RESIDENT_SEGMENT        equ 0x9000
RESIDENT_KIB            equ RESIDENT_SEGMENT * 16 / 1024
E820_ROOM               equ 320         ; entries

VECTOR_VIDEO            equ 0x10 * 4
VECTOR_DISK             equ 0x13 * 4
VECTOR_SYSTEM           equ 0x15 * 4
VECTOR_CLOCK            equ 0x1A * 4
BDA_EBDA_SEGMENT        equ 0x40E
BDA_LOW_KIB             equ 0x413
EBDA_SEGMENT            equ 0x9FC0      ; where SeaBIOS has it

FLAG_CARRY              equ 1 << 0
FLAG_INTERRUPT          equ 1 << 9
FLAG_DIRECTION          equ 1 << 10

DEBUG_CONSOLE           equ 0xE9
PORT_FAST_A20           equ 0x92
FAST_A20                equ 0x02
FAST_RESET              equ 0x01

EDD_ASK                 equ 0x55AA
EDD_ANSWER              equ 0xAA55
EDD_VERSION_3           equ 0x30
EDD_ALL                 equ 0x07        ; packets, locking, enhanced
EDD_PACKETS             equ 1
EDD_PACKET_BYTES        equ 16
EDD_PARAMETERS_BYTES    equ 26
MOST_SECTORS            equ 127         ; what every BIOS takes
STATUS_BAD_COMMAND      equ 0x01
STATUS_DMA_BOUNDARY     equ 0x09
STATUS_TIMEOUT          equ 0x80
STATUS_UNSUPPORTED      equ 0x86

E820                    equ 0xE820
E820_SMAP               equ 0x534D4150
E820_BYTES              equ 20          ; of an entry without attributes
E820_ENTRY_BYTES        equ 24          ; of an entry in the settings
E820_MORE               equ 0x5A000000  ; in the continuation, so that all 32 bits are needed

; What a service does, where the settings leave a choice.
RSDP_BYTES              equ 36
MADE_UP_BASE            equ 0x01000000
MADE_UP_BYTES           equ 0x1000
MADE_UP_DISTANCE        equ 0x2000
E820_RESERVED           equ 2

PASS                    equ 0           ; ask the real BIOS
ANSWER                  equ 1           ; as the settings say
ABSENT                  equ 2           ; as a BIOS that does not know it

; Bits of config.disk_trash, config.system_trash and config.video_trash.
TRASH_UPPER             equ 1 << 0      ; upper halves of all registers, ESP's too
TRASH_KNOWN             equ 1 << 1      ; DL, ES, SI and BP: BIOSes are known that do
TRASH_MORE              equ 1 << 2      ; BX, CX, DI, FS and GS
TRASH_GDT               equ 1 << 3      ; GDTR, as a BIOS that went to protected mode
TRASH_DIRECTION         equ 1 << 4      ; direction flag set on return
TRASH_INTERRUPT_ON      equ 1 << 5      ; interrupts on upon return
TRASH_INTERRUPT_OFF     equ 1 << 6
CR4_DE                  equ 1 << 3
CR4_PGE                 equ 1 << 7
CR4_OSFXSR              equ 1 << 9
EFER_SCE                equ 1 << 0
MSR_PAT                 equ 0x277
; A memory type range of 64 MiB that is off: whoever looks at its base knows it.
MSR_MTRR_LAST_BASE      equ 0x20E
MSR_MTRR_LAST_MASK      equ 0x20F
ODD_MTRR_BASE           equ 0x76543006
ODD_MTRR_MASK           equ 0xFC000000
ODD_PAT_LOW             equ 0x06060606  ; write-back everywhere
ODD_PAT_HIGH            equ 0x00000606  ; uncached in the upper ones
MSR_EFER                equ 0xC0000080
MSR_FS_BASE             equ 0xC0000100
MSR_GS_BASE             equ 0xC0000101
MSR_KERNEL_GS_BASE      equ 0xC0000102
DR7_ALL_LOCAL           equ 0x455       ; four breakpoints, and the bit that is always set
ODD_BREAKPOINT          equ 0xFFFFFFF0
JUNK                    equ 0xA5C3
JUNK_BYTE               equ 0xCC

; The caller's registers, on its stack, at SS:BP while a service runs.
struc frame
.gs:    resw 1
.fs:    resw 1
.es:    resw 1
.ds:    resw 1
.edi:   resd 1
.esi:   resd 1
.ebp:   resd 1
.esp:   resd 1
.ebx:   resd 1
.edx:   resd 1
.ecx:   resd 1
.eax:   resd 1
.ip:    resw 1
.cs:    resw 1
.flags: resw 1
endstruc

%macro setting 2
.%1:    dq %2
%endmacro

; Report on port 0xE9; goes on.
%macro complain 1
    call complaint
    db %1, 10, 0
%endmacro

[map symbols MAP_FILE]

section boot vstart=BOOT_SECTOR_PADDR
bits 16
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, BOOT_SECTOR_PADDR
    mov si, .packet
    mov ah, 0x42
    int 0x13
    jc .stop
    jmp RESIDENT_SEGMENT:install
.stop:
    hlt
    jmp .stop
.packet:
    db EDD_PACKET_BYTES, 0
    dw SHIM_SECTORS - 1, 0, RESIDENT_SEGMENT
    dq 1
    times SECTOR_BYTES - 2 - ($ - $$) db 0
    dw 0xAA55

section resident start=SECTOR_BYTES vstart=0

config:
; How the image's boot sector is entered.
    setting entry_ip, BOOT_SECTOR_PADDR
    setting entry_cs, 0
    setting entry_edx, 0x80
    setting entry_flags, FLAG_INTERRUPT
    setting entry_ss, 0
    setting entry_sp, BOOT_SECTOR_PADDR
    setting entry_junk, 0               ; in all other registers
    setting odd_units, 0                ; MSRs, debug registers, x87 and SSE as nobody expects them
    setting overwrite_bpb, 0
    setting close_a20, 0
; Memory below 640 KiB.
    setting low_kib, RESIDENT_KIB
    setting ebda_segment, EBDA_SEGMENT
    setting rsdp_paddr, 0               ; where to put the bytes at `rsdp`
; The disk.
    setting drive, 0x80                 ; the only one there is
    setting image_sectors, 0            ; the tests set it: nothing beyond may be read
    setting disk_sectors, 0             ; what function 48h tells
    setting size_fails, 0
    setting edd_fails, 0
    setting edd_signature, EDD_ANSWER
    setting edd_interfaces, EDD_ALL
    setting geometry_fails, 0
    setting heads, 16
    setting track_sectors, 63
    setting success_status, 0           ; AH on success
    setting most_sectors, MOST_SECTORS
    setting most_sectors_status, STATUS_BAD_COMMAND
    setting failures, 0                 ; of each transfer before it succeeds
    setting needs_reset, 0              ; after a failure all fails until a reset
    setting bad_lba, -1                 ; sectors that can never be read
    setting bad_sectors, 1
    setting bad_status, 0x10
    setting stack_bytes, 0              ; how much stack a call needs
    setting disk_trash, 0
; System services.
    setting e820, PASS
    setting e820_count, 0
    setting e820_bytes, E820_ENTRY_BYTES
    setting e820_carry_ends, 0          ; no EBX = 0 at the last entry, but carry after it
    setting e820_endless, 0
    setting e820_made_up, 0             ; e820_count small reserved ranges, none beside another
    setting e820_lost, -1               ; entry from which on the signature is missing
    setting e820_short, -1              ; entry that is too short
    setting e801, PASS
    setting e801_ax, 0
    setting e801_bx, 0
    setting e801_cx, 0
    setting e801_dx, 0
    setting memory_88, PASS
    setting memory_88_kib, 0
    setting memory_88_carry, 0
    setting a20_2401, PASS              ; ANSWER: success that is none
    setting ec00_fails, 0
    setting system_trash, 0
; The real-time clock.
    setting clock, PASS
    setting clock_time_cx, 0
    setting clock_time_dx, 0
    setting clock_date_cx, 0
    setting clock_date_dx, 0
    setting video_trash, 0
    setting vbe_absent, 0
    setting vbe_no_signature, 0
    setting vbe_list_inside, 0          ; the list of modes is in the information block
    setting vbe_odd_modes_fail, 0       ; 4F01h of modes with odd numbers
    setting vbe_only_bits, 0            ; other depths are not supported
    setting vbe_zero_masks, 0
    setting vbe_failed_sets, 0          ; how many 4F02h fail

; What has been called, for tests that want to know that a quirk was met.
seen:
    setting packet_reads, 0
    setting chs_reads, 0
    setting reads_above_head_0, 0
    setting reads_above_cylinder_255, 0
    setting failed_reads, 0
    setting resets, 0
    setting longest_read, 0
    setting e820_calls, 0
    setting e801_calls, 0
    setting memory_88_calls, 0
    setting a20_calls, 0
    setting ec00_calls, 0
    setting clock_calls, 0
    setting video_calls, 0
    setting vbe_calls, 0
    setting vbe_failed_sets, 0
    setting complaints, 0

; Variables.
real_video:     dd 0
real_disk:      dd 0
real_system:    dd 0
real_clock:     dd 0
real_drive:     db 0
stuck:          db 0                    ; by a failure, until a reset
failures_left:  dw 0                    ; of this transfer
rsdp:           times RSDP_BYTES db 0
made_up_entry:  dq 0, MADE_UP_BYTES
                dd E820_RESERVED, 1
junk_gdt:       dw 0
                dd 0
align 4
packet:                                 ; the read that the real BIOS is asked for
    db EDD_PACKET_BYTES, 0
.sectors:       dw 1
.offset:        dw BOOT_SECTOR_PADDR
.segment:       dw 0
.lba:           dq SHIM_SECTORS

; Hook the BIOS, load the image's boot sector and enter it. DL = drive.
install:
    push cs
    pop ds
    mov [real_drive], dl
    mov ax, [config.failures]
    mov [failures_left], ax
    mov si, packet
    mov ah, 0x42
    int 0x13
    jc $

    xor ax, ax
    mov es, ax
    cli
%macro hook 3
    mov eax, [es:%1]
    mov [%2], eax
    mov word [es:%1], %3
    mov [es:%1 + 2], cs
%endmacro
    hook VECTOR_VIDEO, real_video, video
    hook VECTOR_DISK, real_disk, disk
    hook VECTOR_SYSTEM, real_system, system
    hook VECTOR_CLOCK, real_clock, clock
    mov ax, [config.low_kib]
    mov [es:BDA_LOW_KIB], ax
    mov ax, [config.ebda_segment]
    mov [es:BDA_EBDA_SEGMENT], ax

    mov eax, [config.rsdp_paddr]
    test eax, eax
    jz .rsdp_done
    mov di, ax
    and di, 0x000F
    shr eax, 4
    mov es, ax
    mov si, rsdp
    mov cx, RSDP_BYTES
    rep movsb
    xor ax, ax
    mov es, ax
.rsdp_done:

    cmp byte [config.overwrite_bpb], 0
    je .bpb_done
    mov di, BOOT_SECTOR_PADDR + BPB_OFFSET
    mov cx, BPB_END - BPB_OFFSET
    mov al, JUNK_BYTE
    rep stosb
.bpb_done:
    cmp byte [config.close_a20], 0
    je enter_image
    in al, PORT_FAST_A20
    and al, ~(FAST_A20 | FAST_RESET) & 0xFF
    out PORT_FAST_A20, al

enter_image:
    cmp byte [config.odd_units], 0
    je .units_done
    call make_units_odd
.units_done:
    mov edx, [config.entry_edx]
    mov eax, [config.entry_junk]
    mov ebx, eax
    mov ecx, eax
    mov esi, eax
    mov edi, eax
    mov ebp, eax
    mov es, ax
    mov fs, ax
    mov gs, ax
    push word [config.entry_flags]
    popf
    mov ss, [config.entry_ss]
    mov sp, [config.entry_sp]
    push word [config.entry_cs]
    push word [config.entry_ip]
    mov ds, ax
    retf

; What firmware may leave in registers that no boot sector looks at. All of it is legal.
make_units_odd:
    mov eax, cr4
    or eax, CR4_OSFXSR | CR4_PGE | CR4_DE
    mov cr4, eax
    ldmxcsr [odd_mxcsr]
    fld1
    fldcw [odd_fcw]
    mov eax, ODD_BREAKPOINT
    mov dr0, eax
    mov eax, DR7_ALL_LOCAL
    mov dr7, eax
    mov eax, ODD_PAT_LOW
    mov edx, ODD_PAT_HIGH
    mov ecx, MSR_PAT
    wrmsr
    mov ecx, MSR_FS_BASE
    wrmsr
    mov ecx, MSR_GS_BASE
    wrmsr
    mov ecx, MSR_KERNEL_GS_BASE
    wrmsr
    xor edx, edx
    mov eax, ODD_MTRR_BASE
    mov ecx, MSR_MTRR_LAST_BASE
    wrmsr
    mov eax, ODD_MTRR_MASK
    mov ecx, MSR_MTRR_LAST_MASK
    wrmsr
    mov eax, EFER_SCE
    mov ecx, MSR_EFER
    wrmsr
    ret
odd_mxcsr:      dd 0xFF80               ; all masked, rounds to zero, denormals are zero
odd_fcw:        dw 0x0F7F               ; rounds to zero

; The beginning and the end of every service.
%macro enter_service 0
    pushad
    push ds
    push es
    push fs
    push gs
    mov bp, sp
    push cs
    pop ds
    cld
    and word [bp + frame.flags], ~FLAG_CARRY
%endmacro

; In: AX = bits TRASH_*. What the caller's registers are to be is in the frame.
leave_service:
    test al, TRASH_DIRECTION
    jz .direction_done
    or word [bp + frame.flags], FLAG_DIRECTION
.direction_done:
    test al, TRASH_INTERRUPT_ON
    jz .interrupt_on_done
    or word [bp + frame.flags], FLAG_INTERRUPT
.interrupt_on_done:
    test al, TRASH_INTERRUPT_OFF
    jz .interrupt_off_done
    and word [bp + frame.flags], ~FLAG_INTERRUPT
.interrupt_off_done:
    test al, TRASH_GDT
    jz .gdt_done
    lgdt [junk_gdt]
.gdt_done:
    test al, TRASH_UPPER
    pop gs
    pop fs
    pop es
    pop ds
    popad
    jz .done
    or esp, JUNK << 16
.done:
    iret

; The upper half of these registers, when AL says so.
%macro trash_upper 1-*
    test al, TRASH_UPPER
    jz %%done
%rep %0
    mov word [bp + frame.%1 + 2], JUNK
%rotate 1
%endrep
%%done:
%endmacro

; Print the text behind the call. Keeps all registers.
complaint:
    pushf
    pushad
    mov bp, sp
    mov si, .prefix
    call .print
    mov si, [bp + 34]                   ; the return address: behind PUSHAD's and PUSHF's
    call .print
    mov [bp + 34], si
    inc dword [cs:seen.complaints]
    popad
    popf
    ret
.print:
    cs lodsb
    out DEBUG_CONSOLE, al
    cmp byte [cs:si], 0
    jne .print
    inc si
    ret
.prefix: db 10, "shim: ", 0

; Int 10h: the real one, then the trash. Only a teletype's registers mean nothing to its caller.
video:
    cmp ah, VBE
    je vbe
    cmp ah, 0x0E
    jne .real
    enter_service
    inc dword [seen.video_calls]
    mov eax, [bp + frame.eax]
    mov ebx, [bp + frame.ebx]
    pushf
    call far [real_video]
    mov ax, [config.video_trash]
    trash_upper eax, ebx, ecx, edx, esi, edi, ebp
    test al, TRASH_KNOWN                ; BP, as BIOSes that scroll
    jz .known_done
    mov word [bp + frame.ebp], JUNK
.known_done:
    jmp leave_service
.real:
    jmp far [cs:real_video]

%include "shim_disk.asm"
%include "shim_system.asm"
%include "shim_clock.asm"
%include "shim_video.asm"

; The entries of E820, last: base, bytes, type, attributes, as the tests write them.
e820_entries:
    times E820_ROOM * E820_ENTRY_BYTES db 0

resident_end:
%if resident_end - config > (SHIM_SECTORS - 1) * SECTOR_BYTES
%error "the resident part does not fit in front of the image"
%endif
    times (SHIM_SECTORS - 1) * SECTOR_BYTES - ($ - $$) db 0
