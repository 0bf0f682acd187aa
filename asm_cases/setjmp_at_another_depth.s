#@ title: longjmp back into a frame that has grown since
# After setjmp the frame took 256 bytes more; rsp goes up to a place inside the same frame, where no
# call has its return address.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call lands
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

lands:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 16
        mov [rip+saved_rbp], rbp
        mov [rip+saved_rsp], rsp
        lea rax, [rip+.Llanding]
        mov [rip+saved_pc], rax
        sub rsp, 256
        call outer
        ud2
.Llanding:
        #@ stack: lands _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        nop
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

outer:  .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        #@ stack: outer lands _start*
        call jumps
        ud2
        .cfi_endproc

jumps:  .cfi_startproc
        #@ stack: jumps outer lands _start*
        mov rbp, [rip+saved_rbp]
        mov rsp, [rip+saved_rsp]
        .cfi_def_cfa rbp, 16
        .cfi_offset rbp, -16
        #@ stack: jumps _start*
        jmp [rip+saved_pc]
        .cfi_endproc

        .bss
        .balign 8
saved_rsp: .skip 8
saved_rbp: .skip 8
saved_pc: .skip 8
