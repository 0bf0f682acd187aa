#@ title: Return address in rbx, rbp in its slot: six data words
#@ findings: 1
#@ violations: 1
# CFA, RA and FP each have a group of two words. `pops` keeps the address in a register that calls
# preserve, but below the top the kernel cannot read rbx. (That it does not give rbx back to its own
# caller breaks the convention; the truth notices.)
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call pops
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

pops:   .cfi_startproc
        pop rbx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rbx
        push rbp
        .cfi_def_cfa_offset 8
        .cfi_offset rbp, -8
        #@ stack: pops _start*
        #@ row: CFA=rsp+8 RA=rbx+0 FP=*(CFA-8)
        call leaf
        #@ stack: pops _start*
        pop rbp
        .cfi_def_cfa_offset 0
        .cfi_restore rbp
        jmp rbx
        .cfi_endproc

leaf:   .cfi_startproc
        #@ verdict: 1 refused
        nop
        ret
        .cfi_endproc
