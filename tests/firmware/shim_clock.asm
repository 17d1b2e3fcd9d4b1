; The shim's int 1Ah: the real-time clock's time and date [RBIL "INT 1A/AH=02h"], [RBIL "INT 1A/AH=04h"].
; All else goes to the real BIOS.

clock:
    cmp byte [cs:config.clock], PASS
    je .real
    cmp ah, 0x02
    je .time
    cmp ah, 0x04
    je .date
.real:
    jmp far [cs:real_clock]
.time:
    enter_service
    answer ecx, config.clock_time_cx    ; hours, minutes
    answer edx, config.clock_time_dx    ; seconds, daylight saving
    jmp .done
.date:
    enter_service
    answer ecx, config.clock_date_cx    ; century, year
    answer edx, config.clock_date_dx    ; month, day
.done:
    inc dword [seen.clock_calls]
    cmp byte [config.clock], ABSENT
    jne .answered
    or word [bp + frame.flags], FLAG_CARRY
.answered:
    xor ax, ax
    jmp leave_service
