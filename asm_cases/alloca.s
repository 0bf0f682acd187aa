#@ title: alloca: the frame's size is known at run time only
# With the CFA on rbp the row holds whatever happens to rsp.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 100
        call grows
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

grows:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        lea rax, [rdi+15]
        and rax, -16
        sub rsp, rax
        #@ stack: grows _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        mov byte ptr [rsp], 0
        call leaf
        #@ stack: grows _start*
        lea rsp, [rbp-64]
        #@ stack: grows _start*
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf grows _start*
        ret
        .cfi_endproc
