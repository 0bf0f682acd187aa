#@ title: Contexts that are gone on with by push and ret
# As glibc's swapcontext and setcontext: a context is rsp after the return and the address to return
# to; whoever goes on with it loads rsp, pushes the address and returns. So between push and ret the
# pushed word is the return address, whether the context was left by the same function, made by hand
# or saved by a call that returned long ago.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+stack_top]
        mov [rip+other], rax
        lea rax, [rip+body]
        mov [rip+other+8], rax
        lea rdi, [rip+main]
        lea rsi, [rip+other]
        call swap
        #@ stack: _start*
        call saves_and_restores
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

# rdi: where to save the context, rsi: the one to go on with
swap:   .cfi_startproc
        mov rcx, [rsp]
        mov [rdi+8], rcx
        lea rcx, [rsp+8]
        mov [rdi], rcx
        mov [rdi+16], rbp
        mov rcx, [rsi+8]
        #@ stack: swap _start*
        #@ stack: swap helper body*
        #@ stack: swap helper body*
        mov rsp, [rsi]
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        #@ stack: swap body*
        #@ stack: swap helper body*
        #@ stack: swap _start*
        #@ row: CFA=rsp+0 RA=rcx
        push rcx
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        #@ stack: swap body*
        #@ stack: swap helper body*
        #@ stack: swap _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        mov rbp, [rsi+16]
        #@ verdict: 0 ok
        ret
        .cfi_endproc

body:   .cfi_startproc
        .cfi_undefined rip
        #@ stack: body*
        call helper
        ud2
        .cfi_endproc

helper: .cfi_startproc
        #@ stack: helper body*
        push rbp
        .cfi_def_cfa_offset 16
        lea rdi, [rip+other]
        mov rsi, rdi
        call swap
        #@ stack: helper body*
        lea rdi, [rip+other]
        lea rsi, [rip+main]
        call swap
        ud2
        .cfi_endproc

# Saved here by a call that returns at once, gone on with from a deeper one.
saves_and_restores:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        mov ebx, 2
        lea rdi, [rip+main]
        call save
        #@ stack: saves_and_restores _start*
        dec ebx
        js .Lover
        push rbx
        .cfi_def_cfa_offset 24
        call deeper
        ud2
.Lover: .cfi_def_cfa_offset 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

save:   .cfi_startproc
        mov rcx, [rsp]
        mov [rdi+8], rcx
        lea rcx, [rsp+8]
        mov [rdi], rcx
        ret
        .cfi_endproc

deeper: .cfi_startproc
        lea rsi, [rip+main]
        mov rcx, [rsi+8]
        #@ stack: deeper saves_and_restores _start*
        mov rsp, [rsi]
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        #@ stack: deeper saves_and_restores _start*
        push rcx
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        #@ stack: deeper saves_and_restores _start*
        #@ verdict: 1 ok
        ret
        .cfi_endproc

        .data
        .balign 8
main:   .quad 0, 0, 0
other:  .quad 0, 0, 0
        .bss
        .balign 16
        .skip 4096
stack_top: .skip 16
