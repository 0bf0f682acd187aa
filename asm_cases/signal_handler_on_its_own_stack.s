#@ title: A signal handler on an alternate stack
# The frames of handler and interrupted function are not in order of address: the one above lies
# in .bss, far below the other.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rdi, [rip+alternate]
        xor esi, esi
        mov eax, 131
        syscall
        mov esi, offset action
        mov edi, 10
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call worker
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
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
        #@ stack: worker _start*
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer worker _start*
        call leaf
        #@ stack: handler ?restorer worker _start*
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf handler ?restorer worker _start*
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer worker _start*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x0c000000, restorer, 0
alternate: .quad stack, 0, 16384
        .bss
        .balign 16
stack:  .skip 16384
