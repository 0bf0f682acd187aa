#@ title: A fault at the first instruction of a function
# The interrupted pc is the function's first byte. Looked up one byte back, as a return address
# would be by .eh_frame consumers, it would be the neighbour's row: one for a larger frame.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov esi, offset action
        mov edi, 4
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call stops
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

neighbour:
        .cfi_startproc
        .cfi_def_cfa_offset 64
        nop
        .cfi_endproc

stops:  .cfi_startproc
        #@ stack: stops _start*
        ud2
        #@ stack: stops _start*
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer stops _start*
        #@ verdict: 2 ok
        add qword ptr [rdx+168], 2
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer stops _start*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000004, restorer, 0
