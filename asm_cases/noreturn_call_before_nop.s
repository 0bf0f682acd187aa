#@ title: A noreturn call with an instruction behind it
# The return address is inside the caller then, and so is the row: what compilers do to be unwound
# without looking one byte back.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call dies
        nop
        .cfi_endproc

neighbour:
        .cfi_startproc
        .cfi_def_cfa_offset 64
        ret
        .cfi_endproc

dies:   .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        call leave_program
        nop
        .cfi_endproc

other:  .cfi_startproc
        .cfi_def_cfa_offset 64
        ret
        .cfi_endproc

leave_program:
        .cfi_startproc
        #@ stack: leave_program dies _start*
        #@ verdict: 1 ok
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
