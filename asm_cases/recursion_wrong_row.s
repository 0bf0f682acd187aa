#@ title: A table wrong on purpose: the return address of the next older call
#@ findings: 2
# In a recursion all return addresses are alike. A row that skips a frame finds the right pc, but in
# a word that the function did not write: no copy of its own, and not the way it returns. In the
# oldest call pc is wrong, too.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ecx, 4
        call down
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

down:   .cfi_startproc
        #@ stack: down _start*
        #@ stack: down down _start*
        #@ stack: down down down _start*
        #@ stack: down down down down _start*
        mov rax, [rsp]
        push rbx
        .cfi_def_cfa_offset 16
        dec ecx
        jz .Lend
        call down
        #@ stack: down down down _start*
        #@ stack: down down _start*
        #@ stack: down _start*
        inc ecx
.Lend:  pop rbx
        .cfi_def_cfa_offset 24
        #@ stack: down down down down _start*
        #@ stack: down down down _start*
        #@ stack: down down _start*
        #@ stack: down _start*
        #@ verdict: 0 wrong sp
        ret
        .cfi_endproc
