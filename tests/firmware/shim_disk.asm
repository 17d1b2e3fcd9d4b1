; The shim's int 13h: the image as a disk of its own, with packets or with cylinders, heads and
; sectors. Every read becomes one packet read of the real BIOS.

disk:
    enter_service
    call use_stack
    test byte [config.disk_trash], TRASH_INTERRUPT_OFF
    jnz .interrupts_done
    test word [bp + frame.flags], FLAG_INTERRUPT
    jnz .interrupts_done
    complain "int 13h with interrupts off"
.interrupts_done:
    cmp dl, [config.drive]
    je .drive_ok
    complain "int 13h for a drive that is not there"
    jmp disk_bad_command
.drive_ok:
    mov al, ah
    cmp al, 0x00
    je disk_reset
    cmp al, 0x02
    je disk_read_chs
    cmp al, 0x08
    je disk_geometry
    cmp al, 0x41
    je disk_check_edd
    cmp al, 0x42
    je disk_read_packet
    cmp al, 0x48
    je disk_parameters
    complain "int 13h with a function that a loader does not need"
disk_bad_command:
    mov ah, STATUS_BAD_COMMAND

; The ends of all functions. Failure: AH = status.
disk_fail:
    or word [bp + frame.flags], FLAG_CARRY
    jmp disk_return
disk_succeed:
    mov ah, [config.success_status]
disk_return:
    mov [bp + frame.eax + 1], ah
    mov ax, [config.disk_trash]
    test al, TRASH_KNOWN
    jz .known_done
    mov byte [bp + frame.edx], JUNK & 0xFF
    mov word [bp + frame.esi], JUNK
    mov word [bp + frame.ebp], JUNK
    mov word [bp + frame.es], JUNK
.known_done:
    test al, TRASH_MORE
    jz disk_return_results
    mov word [bp + frame.ebx], JUNK
    mov word [bp + frame.ecx], JUNK
    mov word [bp + frame.edi], JUNK
    mov word [bp + frame.fs], JUNK
    mov word [bp + frame.gs], JUNK
; For functions with results in the lower halves of the registers.
disk_return_results:
    mov ax, [config.disk_trash]
    trash_upper eax, ebx, ecx, edx, esi, edi, ebp
    jmp leave_service

disk_reset:
    mov byte [stuck], 0
    inc dword [seen.resets]
    jmp disk_succeed

; Carry clear: a careful caller may use packets.
edd_is_there:
    cmp byte [config.edd_fails], 0
    jne .no
    cmp word [config.edd_signature], EDD_ANSWER
    jne .no
    test byte [config.edd_interfaces], EDD_PACKETS
    jz .no
    clc
    ret
.no:
    stc
    ret

; [EDD-3 §8.3.1 "Check Extensions Present"]
disk_check_edd:
    cmp bx, EDD_ASK
    jne disk_bad_command
    cmp byte [config.edd_fails], 0
    jne disk_bad_command
    mov byte [bp + frame.eax + 1], EDD_VERSION_3
    mov ax, [config.edd_signature]
    mov [bp + frame.ebx], ax
    mov ax, [config.edd_interfaces]
    mov [bp + frame.ecx], ax
    test byte [config.disk_trash], TRASH_KNOWN
    jz disk_return_results
    mov byte [bp + frame.edx], JUNK & 0xFF  ; "AST BIOS 1.04", says GRUB
    jmp disk_return_results

; [RBIL "INT 13/AH=08h"]
disk_geometry:
    cmp byte [config.geometry_fails], 0
    jne disk_bad_command
    mov al, [config.track_sectors]
    or al, 0xC0                         ; cylinder 1023
    mov ah, 0xFF
    mov [bp + frame.ecx], ax
    mov dh, [config.heads]
    dec dh
    mov dl, 1
    mov [bp + frame.edx], dx
    mov byte [bp + frame.ebx], 0
    mov word [bp + frame.es], JUNK      ; ES:DI: a table, where it is a floppy
    mov word [bp + frame.edi], JUNK
    mov ah, [config.success_status]
    mov [bp + frame.eax + 1], ah
    jmp disk_return_results

; [EDD-3 §8.3.7 "Get Device Parameters"]
disk_parameters:
    call edd_is_there
    jc disk_without_edd
    cmp byte [config.size_fails], 0
    jne disk_bad_command
    mov es, [bp + frame.ds]
    mov di, [bp + frame.esi]
    cmp word [es:di], EDD_PARAMETERS_BYTES
    jb disk_bad_command
    mov ax, EDD_PARAMETERS_BYTES
    stosw
    xor eax, eax
    stosw
    stosd
    stosd
    stosd
    mov eax, [config.disk_sectors]
    stosd
    mov eax, [config.disk_sectors + 4]
    stosd
    mov ax, SECTOR_BYTES
    stosw
    jmp disk_succeed

disk_without_edd:
    complain "a function of EDD, which is not there"
    jmp disk_bad_command

; [EDD-3 §8.3.2 "Extended Read"]
disk_read_packet:
    call edd_is_there
    jc disk_without_edd
    inc dword [seen.packet_reads]
    mov es, [bp + frame.ds]
    mov si, [bp + frame.esi]
    cmp word [es:si], EDD_PACKET_BYTES  ; and the reserved byte
    jne .odd_packet
    cmp dword [es:si + 12], 0           ; the upper half of the LBA
    jne .odd_packet
    mov cx, [es:si + 2]
    mov [packet.sectors], cx
    mov eax, [es:si + 4]
    mov [packet.offset], eax            ; and the segment
    mov eax, [es:si + 8]
    call transfer
    jnc disk_succeed
    mov word [es:si + 2], 0             ; sectors transferred
    jmp disk_fail
.odd_packet:
    complain "a packet that makes no sense"
    jmp disk_bad_command

; [RBIL "INT 13/AH=02h"]
disk_read_chs:
    inc dword [seen.chs_reads]
    movzx ax, byte [bp + frame.eax]
    mov [packet.sectors], ax
    mov ax, [bp + frame.ebx]
    mov [packet.offset], ax
    mov ax, [bp + frame.es]
    mov [packet.segment], ax

    movzx ebx, byte [bp + frame.ecx]    ; sector, from 1
    and bl, 0x3F
    jz .odd
    movzx ecx, byte [bp + frame.edx + 1] ; head
    cmp cx, [config.heads]
    jae .odd
    mov ax, bx
    add ax, [packet.sectors]
    dec ax
    cmp ax, [config.track_sectors]
    ja .across
    mov ax, [bp + frame.ecx]            ; cylinder
    xchg al, ah
    shr ah, 6
    movzx eax, ax
    jecxz .head_counted
    inc dword [seen.reads_above_head_0]
.head_counted:
    cmp ax, 255
    jbe .cylinder_counted
    inc dword [seen.reads_above_cylinder_255]
.cylinder_counted:
    mul dword [config.heads]
    add eax, ecx
    mul dword [config.track_sectors]
    lea eax, [eax + ebx - 1]
    call transfer
    jnc disk_succeed
    jmp disk_fail
.across:
    complain "a read across the end of a track"
    jmp disk_bad_command
.odd:
    complain "a head or a sector that is not there"
    jmp disk_bad_command

; Read [packet.sectors] sectors from EAX, an LBA of the image, to [packet.segment]:[packet.offset].
; Returns carry and AH as int 13h. Keeps ES and SI.
transfer:
    movzx ecx, word [packet.sectors]
    test cx, cx
    jz .nothing
    cmp cx, MOST_SECTORS
    ja .too_many
    lea edx, [eax + ecx]
    cmp edx, [config.image_sectors]
    ja .beyond
    cmp cx, [seen.longest_read]
    jbe .buffer
    mov [seen.longest_read], cx

.buffer:
    movzx edx, word [packet.segment]
    shl edx, 4
    movzx ebx, word [packet.offset]
    add edx, ebx
    movzx edx, dx                       ; offset in the 64 KiB that a DMA controller can count
    shl ecx, SECTOR_SHIFT
    add edx, ecx
    cmp edx, 0x10000
    ja .boundary
    add ebx, ecx
    cmp ebx, 0x10000
    ja .boundary
    shr ecx, SECTOR_SHIFT

    cmp byte [stuck], 0
    jne .time_out
    cmp cx, [config.most_sectors]
    ja .above_limit
    cmp word [failures_left], 0
    jne .fail_again
    lea edx, [eax + ecx]                ; overlaps the bad sectors?
    cmp edx, [config.bad_lba]
    jbe .good
    mov edx, [config.bad_lba]
    add edx, [config.bad_sectors]
    jc .good
    cmp eax, edx
    jb .bad
.good:
    add eax, SHIM_SECTORS
    mov [packet.lba], eax
    push si
    push es
    mov si, packet
    mov dl, [real_drive]
    mov ah, 0x42
    pushf
    call far [real_disk]
    pop es
    pop si
    jc .broken
    mov ax, [config.failures]
    mov [failures_left], ax
    clc
    ret

.nothing:
    complain "a read of no sectors"
    jmp .bad_command
.too_many:
    complain "a read of more than 127 sectors"
    jmp .bad_command
.beyond:
    complain "a read beyond the end of the image"
.bad_command:
    mov ah, STATUS_BAD_COMMAND
    stc
    ret
.boundary:
    complain "a buffer across 64 KiB"
    mov ah, STATUS_DMA_BOUNDARY
    stc
    ret
.broken:
    complain "the disk is broken"
    stc
    ret
.above_limit:
    mov ah, [config.most_sectors_status]
    jmp .fail
.bad:
    mov ah, [config.bad_status]
    jmp .fail
.fail_again:
    dec word [failures_left]
.time_out:
    mov ah, STATUS_TIMEOUT
.fail:
    inc dword [seen.failed_reads]
    mov al, [config.needs_reset]
    mov [stuck], al
    push es
    les di, [packet.offset]             ; what a failed read leaves is anybody's guess
    mov cx, SECTOR_BYTES
    mov al, JUNK_BYTE
    rep stosb
    pop es
    stc
    ret

; Overwrite the stack below the caller's as far as the settings say. Clobbers CX and DI.
use_stack:
    push ax
    push es
    mov cx, [config.stack_bytes]
    mov di, sp
    sub di, cx
    push ss
    pop es
    mov al, JUNK_BYTE
    rep stosb
    pop es
    pop ax
    ret
