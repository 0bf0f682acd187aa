#@ title: A table wrong on purpose: rbp is changed and nothing says so
#@ findings: 1
# pc and sp are right; only fp is not. Harmless until a caller's CFA is based on rbp.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call clobbers
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

clobbers:
        .cfi_startproc
        mov rcx, rbp
        xor ebp, ebp
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ stack: clobbers _start*
        #@ verdict: 0 wrong fp
        mov rbp, rcx
        ret
        .cfi_endproc
