#@ title: A function without CFI in the middle of the stack
# The walk from `leaf` gets as far as `silent` and no further; the frames below are lost.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call silent
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

silent:
        sub rsp, 40
        call leaf
        #@ stack: ?silent _start*
        add rsp, 40
        ret

leaf:   .cfi_startproc
        #@ stack: leaf ?silent _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
