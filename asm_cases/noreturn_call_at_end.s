#@ title: A noreturn call as a function's last instruction
#@ findings: 2
# The return address is the first byte of the next function. SFrame consumers look it up as it is,
# so they apply the neighbour's row: here one for a frame that does not exist.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call dies
        .cfi_endproc

neighbour:
        .cfi_startproc
        .cfi_undefined rip
        ret
        .cfi_endproc

dies:   .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        call leave_program
        .cfi_endproc

other:  .cfi_startproc
        ret
        .cfi_endproc

leave_program:
        .cfi_startproc
        #@ stack: leave_program dies _start*
        #@ verdict: 1 wrong pc
        #@ verdict: 1 wrong sp
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
