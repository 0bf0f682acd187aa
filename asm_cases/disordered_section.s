#@ title: A section whose index is not in order although it says so
#@ sframe: disordered
# The binary search notices the disorder at its second step; to the kernel the section is corrupt.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        #@ verdict: 0 corrupt
        call middle
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

middle: .cfi_startproc
        #@ verdict: 0 corrupt
        call last
        ret
        .cfi_endproc

last:   .cfi_startproc
        #@ verdict: 0 corrupt
        #@ stack: ?last ?middle ?_start*
        ret
        .cfi_endproc
