#@ title: A table wrong on purpose: the CFA in a register that syscall destroys
#@ findings: 1
# syscall leaves the flags in r11. The row was right an instruction before.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call based
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

based:  .cfi_startproc
        lea r11, [rsp+8]
        .cfi_def_cfa r11, 0
        #@ stack: based _start*
        #@ row: CFA=r11+0 RA=*(CFA-8)
        #@ verdict: 0 ok
        mov eax, 39
        #@ verdict: 0 ok
        syscall
        #@ stack: based _start*
        #@ verdict: 0 refused
        nop
        .cfi_def_cfa rsp, 8
        #@ verdict: 0 ok
        ret
        .cfi_endproc
