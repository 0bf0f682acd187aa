#@ title: A call through a pointer in memory
# The callee's name stands nowhere in the code; the return address is pushed all the same.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call [rip+pointer]
        #@ stack: _start*
        call [rip+pointer+8]
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

first:  .cfi_startproc
        #@ stack: first _start*
        #@ stack: first second _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

second: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        #@ stack: second _start*
        call [rip+pointer]
        #@ stack: second _start*
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

        .data
        .balign 8
pointer: .quad first, second
