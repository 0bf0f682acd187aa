#@ title: A signal handler on the interrupted stack
# Three kinds of frames: the handler, the restorer it returns to, which no row describes, and the
# interrupted function, whose pc is an instruction and no return address.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
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
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer worker _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 ok
        #@ verdict: 1 gap
        #@ verdict: 2 ok
        sub rsp, 8
        .cfi_def_cfa_offset 16
        #@ stack: handler ?restorer worker _start*
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer worker _start*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000000, restorer, 0
