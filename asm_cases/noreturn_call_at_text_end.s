#@ title: A noreturn call as the very last instruction of the text
# The return address lies behind all code. No section covers it: a gap, where there is a row for
# the byte before.
        .intel_syntax noprefix
        .text
        .globl _start
dies:   .cfi_startproc
        #@ stack: dies ?_start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

_start: .cfi_startproc
        .cfi_undefined rip
        call dies
        .cfi_endproc
