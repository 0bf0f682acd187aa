#@ title: A leaf function that touches no stack
# The smallest frame there is: the return address, nothing else. One row covers it.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leaf
        #@ stack: _start*
        mov edi, eax
        mov eax, 60
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        xor eax, eax
        #@ stack: leaf _start*
        ret
        .cfi_endproc
