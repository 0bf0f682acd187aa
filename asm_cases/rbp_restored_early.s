#@ title: rbp restored long before the frame is gone
# A scheduler moves the load up. From then on the slot still holds the value, and the register too.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call early
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

early:  .cfi_startproc
        sub rsp, 56
        .cfi_def_cfa_offset 64
        mov [rsp+48], rbp
        .cfi_offset rbp, -16
        xor ebp, ebp
        #@ stack: early _start*
        #@ row: CFA=rsp+64 RA=*(CFA-8) FP=*(CFA-16)
        mov rbp, [rsp+48]
        .cfi_restore rbp
        mov qword ptr [rsp+48], 0
        #@ stack: early _start*
        #@ row: CFA=rsp+64 RA=*(CFA-8)
        call leaf
        #@ stack: early _start*
        add rsp, 56
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf early _start*
        ret
        .cfi_endproc
