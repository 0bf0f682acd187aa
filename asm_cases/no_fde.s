#@ title: A function without CFI on top of the stack
# Hand-written assembly: there is no FDE, the unwinder does not even learn that it missed one.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call silent
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

silent:
        #@ stack: ?silent _start*
        #@ row: none
        push rbx
        #@ stack: ?silent _start*
        pop rbx
        ret
