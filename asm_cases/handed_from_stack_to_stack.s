#@ title: A coroutine that another one resumes
# Started on one stack, parked, and gone on with from a third: who resumes it is nobody's caller.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+first]
        mov [rip+first_top], rax
        lea rax, [rip+second]
        mov [rip+second_top], rax
        mov edi, offset of_main
        mov esi, offset of_first
        call switch
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

# rdi: where to leave rsp, rsi: where to find the next one
switch: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        #@ stack: switch _start*
        #@ stack: switch helper first_body first*
        #@ stack: switch second_body*
        #@ stack: switch helper first_body first*
        mov [rdi], rsp
        mov rsp, [rsi]
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ stack: switch first*
        #@ stack: switch second*
        #@ stack: switch helper first_body first*
        #@ stack: switch _start*
        ret
        .cfi_endproc

first:  .cfi_startproc
        .cfi_undefined rip
        #@ stack: first*
        call first_body
        ud2
        .cfi_endproc
        nop
first_body:
        .cfi_startproc
        call helper
        ud2
        .cfi_endproc

helper: .cfi_startproc
        mov edi, offset of_first
        mov esi, offset of_second
        call switch
        #@ stack: helper first_body first*
        mov edi, offset of_first
        mov esi, offset of_main
        call switch
        ud2
        .cfi_endproc

second: .cfi_startproc
        .cfi_undefined rip
        jmp second_body
        .cfi_endproc
second_body:
        .cfi_startproc
        .cfi_undefined rip
        #@ stack: second_body*
        mov edi, offset of_second
        mov esi, offset of_first
        call switch
        ud2
        .cfi_endproc

        .data
        .balign 8
of_main: .quad 0
of_first: .quad first_top-8
of_second: .quad second_top-8
        .bss
        .balign 16
        .skip 4096
first_top: .skip 16
        .skip 4096
second_top: .skip 16
