#@ title: Two stacks: a coroutine on static memory
# The switch exchanges rsp with a saved one. Before the exchange the stack is one thread of
# control, after it another; the same row describes both.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+stack_top-8]
        lea rcx, [rip+.Lentry]
        mov [rax], rcx
        mov [rip+other_rsp], rax
        call switch
        #@ stack: _start*
        nop
        call switch
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch _start*
        #@ stack: switch coroutine*
        #@ stack: switch _start*
        #@ stack: switch work coroutine*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        xchg rsp, [rip+other_rsp]
        #@ stack: switch coroutine*
        #@ stack: switch _start*
        #@ stack: switch coroutine*
        #@ stack: switch _start*
        ret
        .cfi_endproc

coroutine:
        .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: coroutine*
        nop
        call switch
        #@ stack: coroutine*
        nop
        call work
        ud2
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work coroutine*
        call switch
        ud2
        .cfi_endproc

        .bss
        .balign 16
other_rsp: .skip 8
        .balign 16
stack:  .skip 4096
stack_top:
        .skip 8
