#@ title: A frame pointer in the middle of the frame
# rbp need not point at the saved rbp: compilers put it where most locals are within one byte.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call centred
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

centred:
        .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        sub rsp, 96
        .cfi_def_cfa_offset 112
        lea rbp, [rsp+32]
        .cfi_def_cfa rbp, 80
        #@ stack: centred _start*
        #@ row: CFA=rbp+80 RA=*(CFA-8) FP=*(CFA-16)
        call leaf
        #@ stack: centred _start*
        lea rsp, [rbp+64]
        .cfi_def_cfa rsp, 16
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf centred _start*
        #@ verdict: 1 ok
        ret
        .cfi_endproc
