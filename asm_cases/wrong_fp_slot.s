#@ title: A table wrong on purpose: rbp is said to be in the slot of rbx
#@ findings: 1
# pc and sp come out right, so a test that looks at function names passes.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1111
        mov ebx, 0x2222
        call swapped
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

swapped:
        .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        push rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbp, -24
        #@ stack: swapped _start*
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-24)
        #@ verdict: 0 wrong fp
        xor ebp, ebp
        #@ verdict: 0 wrong fp
        pop rbx
        .cfi_def_cfa_offset 16
        .cfi_restore rbp
        .cfi_offset rbp, -16
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
