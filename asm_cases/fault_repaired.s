#@ title: A fault whose handler goes on elsewhere
# The handler changes the interrupted pc in the saved context, as a garbage collector or an
# interpreter does on a null pointer. Control comes back to another instruction than it left.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov esi, offset action
        mov edi, 11
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call faulty
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

faulty: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        xor eax, eax
        #@ stack: faulty _start*
        mov rax, [rax]
        ud2
.Lrepaired:
        #@ stack: faulty _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer faulty _start*
        lea rax, [rip+.Lrepaired]
        mov [rdx+168], rax
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer faulty _start*
        mov eax, 15
        syscall

        .data
        .balign 8
action: .quad handler, 0x04000004, restorer, 0
