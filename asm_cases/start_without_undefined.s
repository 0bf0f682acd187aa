#@ title: A table wrong on purpose: _start seems to have a caller
#@ findings: 1
# Without .cfi_undefined rip the word above the stack, the number of arguments, is an address.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        #@ stack: _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 overrun
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf _start*
        #@ verdict: 0 ok
        #@ verdict: 1 overrun
        ret
        .cfi_endproc
