#@ title: Calls through registers and memory
# The same callee, called in three ways; the pushed address differs with the instruction's length.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+callee]
        call rax
        call qword ptr [rip+pointer]
        mov ecx, 1
        call pointers[rcx*8]
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

callee: .cfi_startproc
        #@ stack: callee _start*
        nop
        ret
        .cfi_endproc

        .data
        .balign 8
pointer: .quad callee
pointers: .quad 0, callee
