#@ title: enter and leave
# One instruction pushes rbp, sets it and makes room: the row changes in one step.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x77
        call enters
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

enters: .cfi_startproc
        enter 48, 0
        .cfi_def_cfa rbp, 16
        .cfi_offset rbp, -16
        #@ stack: enters _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        nop
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
