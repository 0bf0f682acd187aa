#@ title: A switch that loads its context from the new stack and jumps
# Fast context switches do not pop: they read the registers and the address to go on at from the
# new stack, release it at once and jump. On a stack seen for the first time that word is where
# its first function begins.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        lea rdi, [rip+context]
        lea rcx, [rip+body]
        mov [rdi+16], rcx
        call switch
        #@ stack: _start*
        cmp ebp, 0x1234
        mov eax, 60
        setne dil
        movzx edi, dil
        syscall
        .cfi_endproc

# rdi: the other context; returns in rax where the one that was left lies
switch: .cfi_startproc
        sub rsp, 16
        .cfi_def_cfa_offset 24
        mov [rsp], rbx
        mov [rsp+8], rbp
        .cfi_offset rbp, -16
        mov rax, rsp
        #@ stack: switch _start*
        #@ stack: switch body*
        mov rsp, rdi
        #@ stack: switch body*
        #@ stack: switch _start*
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-16)
        mov r8, [rsp+16]
        mov rbx, [rsp]
        mov rbp, [rsp+8]
        .cfi_restore rbp
        lea rsp, [rsp+24]
        .cfi_def_cfa_offset 0
        .cfi_register rip, r8
        #@ stack: switch body*
        #@ stack: switch _start*
        jmp r8
        .cfi_endproc

body:   .cfi_startproc
        .cfi_undefined rip
        #@ stack: body*
        mov rdi, rax
        call switch
        ud2
        .cfi_endproc

        .bss
        .balign 16
stack:  .skip 4096
context: .skip 32
