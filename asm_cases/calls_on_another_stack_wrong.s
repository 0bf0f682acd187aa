#@ title: A table wrong on purpose: on another stack the row leads nowhere
#@ findings: 1
# The function moves to another stack and calls there, like its siblings, but nothing in its CFI
# says so: rsp+8 is no frame of anybody.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call on_other_stack
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

on_other_stack:
        .cfi_startproc
        mov [rip+kept], rsp
        lea rsp, [rip+stack_top]
        #@ stack: on_other_stack*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 overrun
        call work
        #@ verdict: 0 overrun
        mov rsp, [rip+kept]
        #@ verdict: 0 ok
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work on_other_stack*
        #@ verdict: 1 overrun
        ret
        .cfi_endproc

        .bss
        .balign 16
kept:   .skip 8
stack:  .skip 4096
stack_top:
        .skip 8
