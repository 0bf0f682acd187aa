#@ title: Two functions without CFI, with one between them
# A walk does not get past the first; the step check still judges the frame between.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call below
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

below:
        push rbx
        call between
        #@ stack: ?below _start*
        pop rbx
        ret
        .size below, .-below

between:
        .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        #@ stack: between ?below _start*
        #@ verdict: 0 ok
        call above
        add rsp, 24
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

above:
        push rbx
        #@ stack: ?above between ?below _start*
        #@ row: none
        #@ verdict: 0 gap
        #@ verdict: 1 ok
        #@ verdict: 2 gap
        pop rbx
        ret
        .size above, .-above
