; The shim's VBE, int 10h AH=4Fh [VBE-3 §4 "VBE Functions"]: the real one's answers, made worse. All
; else of int 10h goes on in shim.asm.

VBE             equ 0x4F
VBE_INFO        equ 0x4F00
VBE_MODE_INFO   equ 0x4F01
VBE_SET_MODE    equ 0x4F02
VBE_FAILED      equ 0x014F
MODE_LINEAR     equ 1 << 14
; In the answer of 4F01h.
MODE_ATTRIBUTES equ 0
MODE_BITS       equ 25
MODE_MASKS      equ 31
MODE_LINEAR_MASKS equ 54
MASKS_BYTES     equ 6
; In that of 4F00h: its list of modes, and a place for it in the block itself.
INFO_MODES      equ 14
INFO_LIST       equ 0x100
LIST_WORDS      equ 0x80
LIST_END        equ 0xFFFF

vbe:
    enter_service
    inc dword [seen.vbe_calls]
    mov ax, [bp + frame.eax]
    cmp ax, VBE_INFO
    jne .not_info
    cmp byte [config.vbe_absent], 0
    jne .fail
.not_info:
    cmp ax, VBE_MODE_INFO
    jne .not_mode
    test byte [bp + frame.ecx], 1
    jz .not_mode
    cmp byte [config.vbe_odd_modes_fail], 0
    jne .fail
.not_mode:
    cmp ax, VBE_SET_MODE
    jne .real
    test word [bp + frame.ebx], MODE_LINEAR
    jnz .linear
    complain "a mode is set without its linear framebuffer"
.linear:
    cmp dword [config.vbe_failed_sets], 0
    je .real
    dec dword [config.vbe_failed_sets]
    inc dword [seen.vbe_failed_sets]
.fail:
    mov word [bp + frame.eax], VBE_FAILED
    jmp .done
.real:
    mov bx, [bp + frame.ebx]
    mov cx, [bp + frame.ecx]
    mov dx, [bp + frame.edx]
    mov di, [bp + frame.edi]
    mov es, [bp + frame.es]
    push bp
    pushf
    call far [cs:real_video]
    pop bp
    push cs
    pop ds
    cld
    mov cx, [bp + frame.eax]            ; what was asked for
    mov [bp + frame.eax], ax
    mov [bp + frame.ebx], bx
    mov es, [bp + frame.es]
    mov di, [bp + frame.edi]
    cmp cx, VBE_INFO
    je spoil_info
    cmp cx, VBE_MODE_INFO
    je spoil_mode
.done:
    xor ax, ax
    jmp leave_service

; The block at ES:DI.
spoil_info:
    cmp byte [config.vbe_no_signature], 0
    je .list
    mov dword [es:di], 'JUNK'
.list:
    cmp byte [config.vbe_list_inside], 0
    je vbe.done
    push ds
    lds si, [es:di + INFO_MODES]
    lea bx, [di + INFO_LIST]
    mov cx, LIST_WORDS
.next:
    lodsw
    mov [es:bx], ax
    add bx, 2
    cmp ax, LIST_END
    loopne .next
    pop ds
    mov word [es:bx - 2], LIST_END
    lea bx, [di + INFO_LIST]
    mov [es:di + INFO_MODES], bx
    mov [es:di + INFO_MODES + 2], es
    jmp vbe.done

; The mode at ES:DI.
spoil_mode:
    mov al, [config.vbe_only_bits]
    test al, al
    jz .masks
    cmp [es:di + MODE_BITS], al
    je .masks
    mov word [es:di + MODE_ATTRIBUTES], 0
.masks:
    cmp byte [config.vbe_zero_masks], 0
    je vbe.done
    lea bx, [di + MODE_MASKS]
    call .zero
    lea bx, [di + MODE_LINEAR_MASKS]
    call .zero
    jmp vbe.done
.zero:
    mov cx, MASKS_BYTES
.next:
    mov byte [es:bx], 0
    inc bx
    loop .next
    ret
