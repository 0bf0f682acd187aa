#@ title: A tail call: the caller's frame is gone, its return address serves the callee
# The jump changes the function and nothing on the stack: `first` is nowhere to be seen.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call first
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

first:  .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        #@ stack: first _start*
        nop
        add rsp, 24
        .cfi_def_cfa_offset 8
        #@ stack: first _start*
        jmp second
        .cfi_endproc

second: .cfi_startproc
        #@ stack: second _start*
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        #@ stack: second _start*
        pop rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
