#@ title: A coroutine ends and another one begins on the same stack
# Nothing of the first may be left: neither its frames nor the memory of where its stack began.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+.Lfirst]
        mov [rip+stack_top], rax
        call start
        #@ stack: _start*
        lea rax, [rip+.Lsecond]
        mov [rip+stack_top], rax
        call start
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

start:  .cfi_startproc
        mov [rip+parked], rsp
        lea rsp, [rip+stack_top]
        #@ stack: start first*
        #@ stack: start second*
        ret
        .cfi_endproc

first:  .cfi_startproc
        .cfi_undefined rip
        nop
.Lfirst:
        #@ stack: first*
        call work
        #@ stack: first*
        jmp finish
        .cfi_endproc

second: .cfi_startproc
        .cfi_undefined rip
        nop
.Lsecond:
        #@ stack: second*
        call work
        #@ stack: second*
        jmp finish
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work first*
        #@ stack: work second*
        ret
        .cfi_endproc

finish: .cfi_startproc
        .cfi_undefined rip
        #@ stack: finish*
        #@ stack: finish*
        mov rsp, [rip+parked]
        .cfi_endproc
resume: .cfi_startproc
        #@ stack: resume _start*
        #@ stack: resume _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

        .bss
        .balign 16
parked: .skip 8
        .skip 1024
stack_top: .skip 16
