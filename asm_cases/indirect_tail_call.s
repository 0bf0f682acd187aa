#@ title: A tail call through a register, after the frame is gone
# How a virtual method that only forwards ends. The caller's frame stays, the function changes.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call forwards
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

forwards:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        lea rax, [rip+target]
        #@ stack: forwards _start*
        pop rbx
        .cfi_def_cfa_offset 8
        #@ stack: forwards _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        jmp rax
        .cfi_endproc

target: .cfi_startproc
        #@ stack: target _start*
        sub rsp, 8
        .cfi_def_cfa_offset 16
        #@ stack: target _start*
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
