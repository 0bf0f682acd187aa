#@ title: longjmp over two frames
# rsp jumps up past two return addresses that are never used; their entries are gone.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov [rip+saved_rsp], rsp
        mov [rip+saved_rbp], rbp
        lea rax, [rip+.Llanding]
        mov [rip+saved_pc], rax
        call outer
        ud2
.Llanding:
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

outer:  .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        call thrower
        ud2
        .cfi_endproc

thrower:
        .cfi_startproc
        #@ stack: thrower outer _start*
        mov rbp, [rip+saved_rbp]
        mov rdx, [rip+saved_pc]
        mov rsp, [rip+saved_rsp]
        .cfi_undefined rip
        jmp rdx
        .cfi_endproc

        .bss
        .balign 8
saved_rsp: .skip 8
saved_rbp: .skip 8
saved_pc: .skip 8
