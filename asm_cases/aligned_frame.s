#@ title: An over-aligned local with the CFA on rbp
# Rounding rsp down loses how far away the frame is; rbp knows.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x99
        call aligns
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

aligns: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        and rsp, -4096
        sub rsp, 64
        #@ stack: aligns _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        call leaf
        #@ stack: aligns _start*
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf aligns _start*
        ret
        .cfi_endproc
