#@ title: An expression for the return address is lost
#@ findings: 1
# .eh_frame says that the return address is at rbp+8, which is true. GNU as ignores the expression
# and leaves the fixed rule RA = *(CFA-8), where nothing is any more.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov rbp, rsp
        call odd_one
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

odd_one:
        .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        lea rbp, [rsp-64]
        mov rax, [rsp+8]
        mov [rbp+8], rax
        .cfi_escape 0x10, 16, 2, 0x76, 8
        mov qword ptr [rsp+8], 0
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        #@ verdict: 0 wrong pc
        nop
        mov [rsp+8], rax
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc
