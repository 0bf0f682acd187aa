#@ title: The CFA 100,000 bytes below r15
# A register rule with a negative offset that needs four bytes, so the control words need them too.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r15d, 0x1111
        call distant
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

distant:
        .cfi_startproc
        push r15
        .cfi_def_cfa_offset 16
        .cfi_offset r15, -16
        lea r15, [rsp+100016]
        .cfi_def_cfa r15, -100000
        #@ stack: distant _start*
        #@ row: CFA=r15-100000 RA=*(CFA-8)
        sub rsp, 200
        #@ stack: distant _start*
        lea rsp, [r15-100016]
        .cfi_def_cfa rsp, 16
        pop r15
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
