; The A20 gate: opened, in real mode, before anything touches memory above 1 MiB. Each known method is
; tried only when the test says that the line is still closed, and believed only when the test says
; that it is open.

METHOD_2401         equ 0x2401
PORT_FAST_A20       equ 0x92
FAST_A20            equ 0x02
FAST_RESET          equ 0x01
KBC_DATA            equ 0x60
KBC_STATUS          equ 0x64
KBC_OUTPUT_FULL     equ 0x01
KBC_INPUT_FULL      equ 0x02
KBC_NONE            equ 0xFF            ; what the status port reads where there is no controller
KBC_WRITE_OUTPUT    equ 0xD1
KBC_OUTPUT_A20_ON   equ 0xDF
KBC_NULL_COMMAND    equ 0xFF            ; ends the sequence for USB keyboard emulations
DELAY_PORT          equ 0x80
ROUNDS              equ 16
TEST_READS          equ 256             ; the line may take its time
KBC_POLLS           equ 0xFFFF

global a20_open

section .stage2 progbits alloc exec write align=16
bits 16
; Opens the gate. Carry set: it stays closed. DS = 0 in and out; clobbers the general registers.
a20_open:
    mov cx, ROUNDS
.round:
    push cx
    call a20_is_open
    jnc .done
    pushad                              ; some BIOSes destroy EBX here
    mov ax, METHOD_2401
    int 0x15
    popad
    xor ax, ax
    mov ds, ax
    call a20_is_open
    jnc .done
    in al, PORT_FAST_A20
    test al, FAST_A20
    jnz .fast_was_on
    or al, FAST_A20
    and al, ~FAST_RESET & 0xFF
    out PORT_FAST_A20, al
.fast_was_on:
    call a20_is_open
    jnc .done
    call ask_keyboard_controller
    call a20_is_open
    jnc .done
    pop cx
    loop .round
    stc
    ret
.done:
    pop cx
    clc
    ret

; Carry set: addresses wrap at 1 MiB. Writes only to a variable of our own. Clobbers AX, CX, ES.
a20_is_open:
    mov ax, 0xFFFF
    mov es, ax
    mov cx, TEST_READS
.again:
    mov ax, [es:probe + 0x10]           ; 1 MiB above the probe, or the probe
    not ax
    mov [probe], ax
    out DELAY_PORT, al
    cmp ax, [es:probe + 0x10]
    jne .open
    not ax                              ; chance, or the wrap?
    mov [probe], ax
    out DELAY_PORT, al
    cmp ax, [es:probe + 0x10]
    jne .open
    loop .again
    stc
    ret
.open:
    clc
    ret

; Set the A20 bit of the keyboard controller's output port. Gives up where there is no controller.
ask_keyboard_controller:
    in al, KBC_STATUS
    cmp al, KBC_NONE
    je .none
    call .wait
    jc .none
    mov al, KBC_WRITE_OUTPUT
    out KBC_STATUS, al
    call .wait
    jc .none
    mov al, KBC_OUTPUT_A20_ON
    out KBC_DATA, al
    call .wait
    jc .none
    mov al, KBC_NULL_COMMAND
    out KBC_STATUS, al
    call .wait
.none:
    ret
; Until the controller takes a byte; its own bytes are thrown away. Carry set: it never does.
.wait:
    mov cx, KBC_POLLS
.poll:
    out DELAY_PORT, al
    in al, KBC_STATUS
    test al, KBC_OUTPUT_FULL
    jz .no_output
    in al, KBC_DATA
    jmp .next
.no_output:
    test al, KBC_INPUT_FULL
    jz .ready
.next:
    loop .poll
    stc
    ret
.ready:
    clc
    ret

section .data
align 2
probe:  dw 0
