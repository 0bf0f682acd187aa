#@ title: A stack from mmap, unmapped after use and mapped again
# Thread libraries cache and drop stacks like this. The second one may lie where the first did.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, 2
.Lagain:
        xor edi, edi
        mov esi, 8192
        mov edx, 3
        mov r10d, 0x22
        mov r8, -1
        xor r9d, r9d
        mov eax, 9
        syscall
        mov r13, rax
        lea rcx, [rip+.Lentry]
        mov [rax+8176], rcx
        lea rax, [rax+8176]
        mov [rip+other_rsp], rax
        #@ stack: _start*
        call switch
        #@ stack: _start*
        mov rdi, r13
        mov esi, 8192
        mov eax, 11
        syscall
        dec r12d
        jne .Lagain
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

switch: .cfi_startproc
        #@ stack: switch _start*
        #@ stack: switch guest*
        #@ stack: switch _start*
        #@ stack: switch guest*
        xchg rsp, [rip+other_rsp]
        #@ stack: switch guest*
        #@ stack: switch _start*
        #@ stack: switch guest*
        #@ stack: switch _start*
        ret
        .cfi_endproc

guest:  .cfi_startproc
        .cfi_undefined rip
        nop
.Lentry:
        #@ stack: guest*
        nop
        call switch
        ud2
        .cfi_endproc

        .bss
        .balign 8
other_rsp: .skip 8
