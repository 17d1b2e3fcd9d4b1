; The shim's int 15h: the memory map in its three generations, the A20 gate, and the call that tells
; a BIOS which mode is meant to be used. All else goes to the real BIOS.

%macro dispatch 3                       ; AX, setting, handler
    cmp ax, %1
    jne %%next
    cmp byte [cs:%2], PASS
    jne %3
%%next:
%endmacro

system:
    dispatch E820, config.e820, system_e820
    dispatch 0xE801, config.e801, system_e801
    dispatch 0x8800, config.memory_88, system_memory_88
    dispatch 0x2401, config.a20_2401, system_a20
    cmp ax, 0xEC00
    je system_ec00
    jmp far [cs:real_system]

system_unsupported:
    mov byte [bp + frame.eax + 1], STATUS_UNSUPPORTED
system_failed:
    or word [bp + frame.flags], FLAG_CARRY
; In the frame: the results.
system_return:
    mov ax, [config.system_trash]
    trash_upper edx, esi, edi, ebp      ; never results
    test al, TRASH_KNOWN
    jz .done
    mov dword [bp + frame.esi], JUNK << 16 | JUNK
    mov dword [bp + frame.ebp], JUNK << 16 | JUNK
    mov word [bp + frame.fs], JUNK
    mov word [bp + frame.gs], JUNK
.done:
    jmp leave_service

; [ACPI §15.1 "INT 15H, E820H - Query System Address Map"]
system_e820:
    enter_service
    inc dword [seen.e820_calls]
    cmp byte [config.e820], ABSENT
    je system_unsupported
    mov eax, [bp + frame.eax]
    cmp eax, E820
    jne .asked_wrong
    mov edx, [bp + frame.edx]
    cmp edx, E820_SMAP
    jne .asked_wrong
    mov ecx, [bp + frame.ecx]
    cmp ecx, [config.e820_bytes]
    jb .asked_wrong

    mov ebx, [bp + frame.ebx]           ; 0, or the index and E820_MORE
    test ebx, ebx
    jz .first
    xor ebx, E820_MORE
    cmp ebx, [config.e820_count]
    ja .asked_wrong
    je .end_by_carry
    cmp byte [config.e820_endless], 0
    jne .first
    call check_last_entry
.first:
    cmp ebx, [config.e820_lost]
    jae .lost
    call e820_entry
    mov es, [bp + frame.es]
    mov di, [bp + frame.edi]
    mov cx, [config.e820_bytes]
    rep movsb
    mov eax, [config.e820_bytes]
    cmp ebx, [config.e820_short]
    jne .length
    mov eax, E820_BYTES - 4
.length:
    mov [bp + frame.ecx], eax
    mov dword [bp + frame.eax], E820_SMAP

    inc ebx
    cmp ebx, [config.e820_count]
    jb .more
    cmp byte [config.e820_carry_ends], 0
    jne .more
    xor ebx, ebx
    cmp byte [config.e820_endless], 0
    je .continuation
.more:
    xor ebx, E820_MORE
.continuation:
    mov [bp + frame.ebx], ebx
    test byte [config.system_trash], TRASH_KNOWN
    jz system_return
    mov dword [bp + frame.edx], JUNK << 16 | JUNK
    jmp system_return

.lost:
    mov dword [bp + frame.eax], JUNK
    jmp system_return
.end_by_carry:
    mov dword [bp + frame.eax], JUNK
    mov dword [bp + frame.ebx], JUNK
    jmp system_failed
.asked_wrong:
    complain "int 15h E820 with registers that are not as specified"
    jmp system_unsupported

; SI = entry EBX.
e820_entry:
    cmp byte [config.e820_made_up], 0
    je .listed
    imul esi, ebx, MADE_UP_DISTANCE
    add esi, MADE_UP_BASE
    mov [made_up_entry], esi
    mov si, made_up_entry
    ret
.listed:
    imul si, bx, E820_ENTRY_BYTES
    add si, e820_entries
    ret

; Some BIOSes rely on the caller's buffer still holding entry EBX - 1. Clobbers CX, SI, DI, ES.
check_last_entry:
    dec ebx
    call e820_entry
    inc ebx
    mov es, [bp + frame.es]
    mov di, [bp + frame.edi]
    mov cx, [config.e820_bytes]
    repe cmpsb
    je .same
    complain "the buffer of int 15h E820 has changed between calls"
.same:
    ret

; [RBIL "INT 15/AX=E801h"]
system_e801:
    enter_service
    inc dword [seen.e801_calls]
    cmp byte [config.e801], ABSENT
    je system_unsupported
%macro answer 2
    mov ax, [%2]
    mov [bp + frame.%1], ax
%endmacro
    answer eax, config.e801_ax
    answer ebx, config.e801_bx
    answer ecx, config.e801_cx
    answer edx, config.e801_dx
    mov ax, [config.system_trash]
    trash_upper eax, ebx, ecx
    jmp system_return

; [RBIL "INT 15/AH=88h"]
system_memory_88:
    enter_service
    inc dword [seen.memory_88_calls]
    cmp byte [config.memory_88], ABSENT
    je system_unsupported
    answer eax, config.memory_88_kib
    mov ax, [config.system_trash]
    trash_upper eax, ebx, ecx
    cmp byte [config.memory_88_carry], 0
    jne system_failed
    jmp system_return

; [RBIL "INT 15/AX=2401h"]
system_a20:
    enter_service
    inc dword [seen.a20_calls]
    mov dword [bp + frame.ebx], JUNK << 16 | JUNK
    cmp byte [config.a20_2401], ABSENT
    je system_unsupported
    mov byte [bp + frame.eax + 1], 0
    jmp system_return

system_ec00:
    enter_service
    inc dword [seen.ec00_calls]
    mov dword [bp + frame.ebx], JUNK << 16 | JUNK
    mov dword [bp + frame.edi], JUNK << 16 | JUNK
    cmp byte [config.ec00_fails], 0
    jne system_unsupported
    mov byte [bp + frame.eax + 1], 0
    jmp system_return
