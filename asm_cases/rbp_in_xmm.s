#@ title: rbp kept in a vector register
#@ findings: 1
# The row says FP = xmm0: register 17 fits into a control word, but the kernel cannot read it.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call parks
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

parks:  .cfi_startproc
        movq xmm0, rbp
        .cfi_register rbp, xmm0
        xor ebp, ebp
        #@ stack: parks _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=xmm0+0
        #@ verdict: 0 refused
        nop
        movq rbp, xmm0
        .cfi_restore rbp
        #@ verdict: 0 ok
        ret
        .cfi_endproc
