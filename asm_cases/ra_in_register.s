#@ title: The return address popped into a register
# `pop rcx; ...; jmp rcx`: CFA == rsp, which the kernel allows for the topmost frame only.
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
        pop rcx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rcx
        #@ stack: pops _start*
        #@ row: CFA=rsp+0 RA=rcx+0
        xor eax, eax
        #@ stack: pops _start*
        jmp rcx
        .cfi_endproc
