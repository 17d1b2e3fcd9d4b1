; Stage 2, the BIOS front end's way from real mode to long mode. Stage 1 has loaded the image header
; to 0x7E00 and this file, with all that is linked behind it, to 0x8000, and left the boot drive in
; boot_drive. Here the loader checks its own bytes, then the CPU, the low memory and the A20 gate,
; all while it can still print through the BIOS, and calls bios_main() in 64-bit mode.

CPUID_EXTENDED          equ 0x80000000
CPUID_EXTENDED_FEATURES equ 0x80000001
CPUID_EDX_LONG_MODE     equ 1 << 29
EFLAGS_ID               equ 1 << 21
LOW_MEMORY_TOP          equ 0xA0000
BDA_SEGMENT             equ 0x0040
EBDA_LEAST              equ 0x40000
BDA_EBDA_SEGMENT        equ 0x0E        ; word: segment of the extended BIOS data area, or 0
PAGE_PRESENT_WRITABLE   equ 0x03
PAGE_LARGE              equ 0x80
PAGE_TABLE_BYTES        equ 0x1000
PAGE_TABLE_ENTRIES      equ 512
LARGE_PAGE_BYTES        equ 0x200000
COM1                    equ 0x3F8
TARGET_MODE_BOTH        equ 3           ; int 15h EC00h: protected and long mode

extern stage1_print_character
extern bios_real_stack_top
extern bios_stack_top
extern bios_page_tables
extern bios_low_memory_least
extern bss_start
extern bss_end
extern image_header
extern image_header_stage2_sum          ; absolute: offset in struct image_header
extern stage2_paragraphs                ; absolute
extern error_number_STAGE2_DAMAGED
extern error_number_NO_LONG_MODE
extern error_number_LOW_MEMORY
extern error_number_A20_CLOSED
extern error_text_STAGE2_DAMAGED
extern error_text_NO_LONG_MODE
extern error_text_LOW_MEMORY
extern error_text_A20_CLOSED
extern a20_open
extern enter_long_mode
extern bios_main

global stage2_entry
global stage2_start64
global require_a20
global tsc_stage2
global low_memory_end

section .stage2.entry progbits alloc exec write align=16
bits 16
; Real mode. In: boot_drive; DS = ES = SS = 0 are set again, as the BIOS has been called since.
stage2_entry:
    cli
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, bios_real_stack_top
    cld
    sti

    call sum_stage2
    mov si, image_header
    cmp eax, [si + image_header_stage2_sum]
    mov ax, error_number_STAGE2_DAMAGED
    mov si, error_text_STAGE2_DAMAGED
    jne fail16

    call has_long_mode
    mov ax, error_number_NO_LONG_MODE
    mov si, error_text_NO_LONG_MODE
    jc fail16
    rdtsc
    mov [tsc_stage2], eax
    mov [tsc_stage2 + 4], edx

    call find_low_memory_end
    mov [low_memory_end], eax
    cmp eax, bios_low_memory_least
    mov ax, error_number_LOW_MEMORY
    mov si, error_text_LOW_MEMORY
    jb fail16

    call require_a20

    ; Some BIOSes of AMD machines want to know the mode that the system will run in
    ; [AMD BKDG "Detect Target Operating Mode Callback"].
    mov ax, 0xEC00
    mov bl, TARGET_MODE_BOTH
    int 0x15

    cli
    cld
    xor ax, ax
    mov ds, ax
    call make_page_tables
    mov edi, stage2_start64
    jmp enter_long_mode

; Opens the A20 gate, or ends here. DS = 0 in and out; clobbers the general registers and ES.
require_a20:
    call a20_open
    jc .closed
    ret
.closed:
    mov ax, error_number_A20_CLOSED
    mov si, error_text_A20_CLOSED
    jmp fail16

; checksum_words() of stage 2. Returns EAX; clobbers EBX, ECX, EDX, SI.
; A paragraph is four words; DS walks, as stage 2 may be longer than a segment.
sum_stage2:
    mov eax, 1
    mov ebx, eax
    mov cx, stage2_paragraphs
    mov dx, 0x8000 >> 4
.paragraph:
    mov ds, dx
%assign word_offset 0
%rep 4
    add eax, [word_offset]
    add ebx, eax
%assign word_offset word_offset + 4
%endrep
    inc dx
    loop .paragraph
    mov ds, cx                          ; 0 again
    rol ebx, 16
    xor eax, ebx
    ret

; Carry set: the CPU has no CPUID, or no long mode [Intel SDM vol. 1 §20.1 "Using the CPUID Instruction"].
has_long_mode:
    pushfd
    pop eax
    mov ecx, eax
    xor eax, EFLAGS_ID
    push eax
    popfd
    pushfd
    pop eax
    xor eax, ecx
    test eax, EFLAGS_ID
    jz .no
    mov eax, CPUID_EXTENDED
    cpuid
    cmp eax, CPUID_EXTENDED_FEATURES
    jb .no                              ; also where an old CPU answers with junk below it
    mov eax, CPUID_EXTENDED_FEATURES
    cpuid
    test edx, CPUID_EDX_LONG_MODE
    jz .no
    clc
    ret
.no:
    stc
    ret

; EAX = the end of the memory below 640 KiB that nobody claims: the least of 640 KiB, what int 12h
; says and where the extended BIOS data area begins, as either can be wrong.
find_low_memory_end:
    int 0x12                            ; AX = KiB
    movzx eax, ax
    shl eax, 10
    cmp eax, LOW_MEMORY_TOP
    jbe .below_top
    mov eax, LOW_MEMORY_TOP
.below_top:
    push ds
    mov bx, BDA_SEGMENT
    mov ds, bx
    movzx ebx, word [BDA_EBDA_SEGMENT]
    pop ds
    shl ebx, 4
    cmp ebx, EBDA_LEAST                 ; 0: there is none; less than this: junk
    jb .done
    cmp ebx, eax
    jae .done
    mov eax, ebx
.done:
    ret

; The loader's page tables: the first 4 GiB one to one, in pages of 2 MiB. Clobbers EAX, CX, DI, ES.
make_page_tables:
    mov ax, bios_page_tables_segment
    mov es, ax
    xor eax, eax
    xor di, di
    mov cx, 6 * PAGE_TABLE_BYTES / 4
    rep stosd

    ; The level-4 table, the level-3 table with four entries, four level-2 tables behind them.
    mov dword [es:0], bios_page_tables + PAGE_TABLE_BYTES + PAGE_PRESENT_WRITABLE
    mov eax, bios_page_tables + 2 * PAGE_TABLE_BYTES + PAGE_PRESENT_WRITABLE
    mov di, PAGE_TABLE_BYTES
    mov cx, 4
.level3:
    mov [es:di], eax
    add eax, PAGE_TABLE_BYTES
    add di, 8
    loop .level3

    mov eax, PAGE_LARGE + PAGE_PRESENT_WRITABLE
    mov di, 2 * PAGE_TABLE_BYTES
    mov cx, 4 * PAGE_TABLE_ENTRIES
.level2:
    mov [es:di], eax
    add eax, LARGE_PAGE_BYTES
    add di, 8
    loop .level2
    ret

extern bios_page_tables_segment         ; absolute

; Print "bootimage: E<AX> <text at SI>" and stop. AX is below 10. The colon of stage 1's routine: it
; prints to the screen, COM1 and the debug console.
fail16:
    cli
    mov cx, ax
    xor ax, ax
    mov ds, ax
    sti
    push si
    mov si, uart_setting
.uart:
    lodsw                               ; register and value
    xor dx, dx
    mov dl, al
    add dx, COM1
    mov al, ah
    out dx, al
    cmp si, uart_setting_end
    jb .uart
    mov si, .prefix
    call .print
    mov al, cl
    add al, '0'
    call stage1_print_character
    mov al, ' '
    call stage1_print_character
    pop si
    call .print
    mov si, .end_of_line
    call .print
.stop:
    cli
    hlt
    jmp .stop
.print:
    cld
    lodsb
    test al, al
    jz .printed
    push si
    push cx
    call stage1_print_character
    pop cx
    pop si
    jmp .print
.printed:
    ret
.prefix:        db 13, 10, "bootimage: E", 0
.end_of_line:   db 13, 10, 0

section .data
; The 16550 at COM1: 115200 baud, 8 bits, no parity; register, value [PC16550D "Register
; Descriptions"].
uart_setting:   db 3, 0x80, 0, 1, 1, 0, 3, 0x03
uart_setting_end:

align 8
tsc_stage2:     dq 0                    ; time stamp counter, once the CPU is known to have one
low_memory_end: dd 0                    ; first byte behind the usable memory below 640 KiB

; Long mode, on the loader's page tables. Interrupts are off.
section .text
bits 64
stage2_start64:
    mov esp, bios_stack_top
    mov edi, bss_start
    mov ecx, bss_end
    sub ecx, edi
    shr ecx, 3
    xor eax, eax
    rep stosq
    xor ebp, ebp
    call bios_main                      ; does not return
