; Code that goes wrong at a known place: each fault_<name> ends with one instruction that raises an
; exception, and fault_<name>_rip is what the processor must report as RIP. faults.c calls them;
; none takes anything, keeps any register or returns.

bits 64
default rel

global fault_constant_address

BAD_SELECTOR equ 0x48           ; beyond the GDT of kernel/segments.c; the error code repeats it
UNMAPPED equ 0x10               ; in page 0
NMI equ 2
MACHINE_CHECK equ 18
GATE_BYTES equ 16
GATE_TYPE equ 5                 ; offset of the byte with the present bit
GENERAL_PROTECTION equ 13

section .text

; void fault_%1(void), and const char fault_%1_rip[]
%macro fault 1
    global fault_%1
    global fault_%1_rip
fault_%1:
%endmacro

%macro number_registers 1-*
    %assign number 1
    %rep %0
        mov %1, number
        %rotate 1
        %assign number number + 1
    %endrep
%endmacro

fault divide
        xor eax, eax
        xor edx, edx
        xor ecx, ecx
fault_divide_rip:
        div ecx

; A trap: RIP is behind the instruction.
fault breakpoint
        int3
fault_breakpoint_rip:
        hlt

fault opcode
fault_opcode_rip:
        ud2

; Each register holds another number: 1 to 15 in the order of the list.
fault registers
        number_registers rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
fault_registers_rip:
        ud2

fault protection
        mov eax, BAD_SELECTOR
fault_protection_rip:
        mov ds, eax

fault read
        mov eax, UNMAPPED
fault_read_rip:
        mov rax, [rax]

fault write
        mov eax, UNMAPPED
fault_write_rip:
        mov [rax], rax

; Code is not writable.
fault code
        lea rax, [fault_code_rip]
fault_code_rip:
        mov [rax], al

; Constants are not writable.
fault constant
        lea rax, [fault_constant_address]
fault_constant_rip:
        mov [rax], al

; Data is not executable: RIP is already there.
fault execute
        lea rax, [fault_execute_rip]
        jmp rax

; The return addresses fill the stack down to the page below it.
fault overflow
fault_overflow_rip:
        call fault_overflow

; A fault whose own gate is not present is a double fault.
fault double
        sub rsp, 16
        sidt [rsp]
        mov rax, [rsp + 2]
        mov byte [rax + GENERAL_PROTECTION * GATE_BYTES + GATE_TYPE], 0
        mov eax, BAD_SELECTOR
fault_double_rip:
        mov ds, eax

; As the stack is not usable, only a handler on a stack of its own can report it.
fault nmi
        xor esp, esp
        int NMI
fault_nmi_rip:
        hlt

fault machine_check
        xor esp, esp
        int MACHINE_CHECK
fault_machine_check_rip:
        hlt

section .rodata
fault_constant_address:
        db 0

section .data
fault_execute_rip:
        ret

section .note.GNU-stack noalloc noexec nowrite progbits
