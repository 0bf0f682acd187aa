#@ title: A context switch that leaves the registers on the stack it parks
# What kernels and green threads do: push, exchange rsp, pop. The same row describes the frame of
# the one who leaves and, an instruction later, of the one who comes.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1111
        mov ebx, 0x2222
        call launch
        #@ stack: _start*
        nop
        call switch
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

launch: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        mov [rip+parked], rsp
        #@ stack: launch _start*
        lea rsp, [rip+stack_top]
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ stack: launch thread*
        ret
        .cfi_endproc

thread: .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: thread*
        mov ebp, 0x3333
        mov ebx, 0x4444
        call switch
        #@ stack: thread*
        nop
        call switch
        ud2
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch thread*
        #@ stack: switch _start*
        #@ stack: switch thread*
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-16)
        xchg rsp, [rip+parked]
        #@ stack: switch _start*
        #@ stack: switch thread*
        #@ stack: switch _start*
        pop rbx
        .cfi_def_cfa_offset 16
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ stack: switch _start*
        #@ stack: switch thread*
        #@ stack: switch _start*
        ret
        .cfi_endproc

        .data
        .balign 16
        .zero 1024
stack_top: .quad .Lentry, 0
parked: .quad 0
