#@ title: A table wrong on purpose: the stack is said to end in the middle
#@ findings: 1
# Nothing looks damaged to a walker: it reports a short stack as if it were the whole one.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call middle
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

middle: .cfi_startproc
        .cfi_undefined rip
        #@ stack: middle _start*
        #@ row: RA undefined
        #@ verdict: 0 truncated
        call leaf
        #@ verdict: 0 truncated
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf middle _start*
        #@ verdict: 0 ok
        #@ verdict: 1 truncated
        ret
        .cfi_endproc
