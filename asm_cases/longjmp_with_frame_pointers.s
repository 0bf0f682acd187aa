#@ title: longjmp over two frames that have changed rbp
# rbp goes back three frames at once; who compares registers at the landing sees the caller's.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        mov [rip+saved_rbp], rbp
        mov [rip+saved_rsp], rsp
        call outer
        ud2
.Llanding:
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

outer:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 32
        #@ stack: outer _start*
        call inner
        ud2
        .cfi_endproc

inner:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        #@ stack: inner outer _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        call jumps
        ud2
        .cfi_endproc

jumps:  .cfi_startproc
        #@ stack: jumps inner outer _start*
        lea rdx, [rip+.Llanding]
        mov rsp, [rip+saved_rsp]
        .cfi_undefined rip
        #@ stack: jumps*
        mov rbp, [rip+saved_rbp]
        #@ stack: jumps*
        jmp rdx
        .cfi_endproc

        .bss
        .balign 8
saved_rsp: .skip 8
saved_rbp: .skip 8
