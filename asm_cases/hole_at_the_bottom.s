#@ title: No CFI for the function the stack begins with
# Today's start files: the walk is right to the last frame but one, and then has no table.
        .intel_syntax noprefix
        .text
        .globl _start
_start:
        #@ stack: ?_start*
        #@ row: none
        call leaf
        #@ stack: ?_start*
        mov eax, 60
        xor edi, edi
        syscall
        .size _start, .-_start

leaf:   .cfi_startproc
        #@ stack: leaf ?_start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
