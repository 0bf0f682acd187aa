#@ title: A stack that begins with a return address of zero
#@ findings: 1
# How thread libraries mark the bottom of a stack. The row does not know: it goes on to address 0.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        push 0
        jmp bottom
        .cfi_endproc

bottom: .cfi_startproc
        #@ stack: bottom*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 0 overrun
        mov eax, 60
        #@ verdict: 0 overrun
        xor edi, edi
        #@ verdict: 0 overrun
        syscall
        .cfi_endproc
