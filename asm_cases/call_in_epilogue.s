#@ title: A call between two pops
# Half of the frame is gone. Each return address has its own row; deeper, the right one is needed.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call worker
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

worker: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        xor ebp, ebp
        call leaf
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-16)
        pop rbx
        .cfi_def_cfa_offset 16
        call leaf
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        call leaf
        #@ stack: worker _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf worker _start*
        #@ stack: leaf worker _start*
        #@ stack: leaf worker _start*
        #@ verdict: 1 ok
        ret
        .cfi_endproc
