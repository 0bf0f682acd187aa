#@ title: A signal handler that its own signal interrupts
# SA_NODEFER: the signal is not blocked while its handler runs. Three times the same three frames,
# with equal addresses: only the stack pointers tell them apart.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 10
        mov esi, offset action
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call raise
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

raise:  .cfi_startproc
        mov eax, 39
        syscall
        mov edi, eax
        mov esi, 10
        mov eax, 62
        syscall
        #@ stack: raise handler ?restorer raise handler ?restorer raise _start*
        #@ stack: raise handler ?restorer raise _start*
        #@ stack: raise _start*
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer raise _start*
        #@ stack: handler ?restorer raise handler ?restorer raise _start*
        #@ stack: handler ?restorer raise handler ?restorer raise handler ?restorer raise _start*
        dec dword ptr [rip+left]
        jz .Llast
        sub rsp, 8
        .cfi_def_cfa_offset 16
        call raise
        add rsp, 8
        .cfi_def_cfa_offset 8
.Llast: ret
        .cfi_endproc
        nop
restorer:
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x44000000, restorer, 0
left:   .long 3
