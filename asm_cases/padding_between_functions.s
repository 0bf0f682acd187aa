#@ title: Execution falls into the padding between two functions
# The bytes between two FDEs belong to neither. A lookup there finds nothing and the section stays.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call first
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

        .balign 64
first:  .cfi_startproc
        #@ stack: first _start*
        nop
        .cfi_endproc
        #@ stack: ?first _start*
        #@ row: none
        .byte 0x90, 0x90
        .size first, . - first
second: .cfi_startproc
        #@ stack: second _start*
        ret
        .cfi_endproc
