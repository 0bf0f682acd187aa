#@ title: A call with rsp misaligned by four
#@ findings: 1
# The processor does not care and the rows are right, but the kernel wants a CFA divisible by 8.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call tilted
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

tilted: .cfi_startproc
        sub rsp, 4
        .cfi_def_cfa_offset 12
        #@ row: CFA=rsp+12 RA=*(CFA-8)
        call leaf
        #@ stack: tilted _start*
        add rsp, 4
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf tilted _start*
        #@ verdict: 0 refused
        ret
        .cfi_endproc
