#@ title: A division by zero whose handler jumps out, on a stack of its own
# A synchronous fault: the interrupted pc is the division itself. The signal stays blocked until
# the landing has taken it out of the mask, so the second one needs that.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, offset alternate
        xor esi, esi
        mov eax, 131
        syscall
        mov edi, 8
        mov esi, offset action
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        call guarded
        #@ stack: _start*
        call guarded
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

guarded:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        mov [rip+saved_rsp], rsp
        #@ stack: guarded _start*
        call divide
        ud2
.Llanded:
        #@ stack: guarded _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        # SIG_SETMASK to nothing
        mov edi, 2
        mov esi, offset none
        xor edx, edx
        mov r10d, 8
        mov eax, 14
        syscall
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

divide: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        xor ecx, ecx
        mov eax, 7
        cdq
        #@ stack: divide guarded _start*
        div ecx
        ud2
        .cfi_endproc

handler:
        .cfi_startproc
        #@ stack: handler ?restorer divide guarded _start*
        call leave_it
        ud2
        .cfi_endproc

leave_it:
        .cfi_startproc
        #@ stack: leave_it handler ?restorer divide guarded _start*
        lea rdx, [rip+.Llanded]
        mov rsp, [rip+saved_rsp]
        .cfi_def_cfa_offset 16
        #@ stack: leave_it _start*
        jmp rdx
        .cfi_endproc
        nop
restorer:
        ud2

        .data
        .balign 8
action: .quad handler, 0x0c000000, restorer, 0
alternate: .quad stack, 0, 8192
saved_rsp: .quad 0
none:   .quad 0
        .bss
        .balign 16
stack:  .skip 8192
