#@ title: Callee-saved registers pushed and popped one by one
# Each push begins a row. Only rbp's slot appears in it: SFrame does not say where rbx or r12 are.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call saves
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

saves:  .cfi_startproc
        push r12
        .cfi_def_cfa_offset 16
        .cfi_offset r12, -16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        push rbp
        .cfi_def_cfa_offset 24
        .cfi_offset rbp, -24
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-24)
        push rbx
        .cfi_def_cfa_offset 32
        .cfi_offset rbx, -32
        #@ stack: saves _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8) FP=*(CFA-24)
        mov r12d, 1
        mov ebp, 2
        mov ebx, 3
        call leaf
        #@ stack: saves _start*
        pop rbx
        .cfi_def_cfa_offset 24
        pop rbp
        .cfi_def_cfa_offset 16
        # The slot below rsp still holds the value, so the rule is still right.
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-24)
        pop r12
        .cfi_def_cfa_offset 8
        #@ stack: saves _start*
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf saves _start*
        ret
        .cfi_endproc
