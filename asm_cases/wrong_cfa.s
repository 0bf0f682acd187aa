#@ title: A table wrong on purpose: the CFA is one word too high
#@ findings: 2
# The row claims a push that never happened. At rsp+8 lies `caller`'s local, not an address.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call caller
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

caller: .cfi_startproc
        push 0x55
        .cfi_def_cfa_offset 16
        call liar
        #@ stack: caller _start*
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

liar:   .cfi_startproc
        .cfi_def_cfa_offset 16
        #@ stack: liar caller _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        ret
        .cfi_endproc
