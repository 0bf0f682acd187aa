#@ title: A jump out of a signal handler
# siglongjmp: rt_sigreturn never comes. Handler, restorer and the interrupted frame go at once.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov [rip+saved_rsp], rsp
        mov esi, offset action
        mov edi, 10
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call worker
        ud2
.Llanding:
        #@ stack: _start*
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf _start*
        ret
        .cfi_endproc

worker: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        mov eax, 39
        syscall
        mov edi, eax
        mov esi, 10
        mov eax, 62
        syscall
        ud2
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer worker _start*
        lea rdx, [rip+.Llanding]
        mov rsp, [rip+saved_rsp]
        .cfi_undefined rip
        #@ stack: handler*
        jmp rdx
        .cfi_endproc
        nop
restorer:
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000000, restorer, 0
saved_rsp: .quad 0
