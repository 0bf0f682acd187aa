#@ title: call to the next instruction, to learn the program counter
# 32-bit position-independent code did this everywhere. It pushes a word but is no call.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call thunk
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

thunk:  .cfi_startproc
        call .Lnext
.Lnext: .cfi_def_cfa_offset 16
        #@ stack: thunk _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rax
        .cfi_def_cfa_offset 8
        #@ stack: thunk _start*
        ret
        .cfi_endproc
