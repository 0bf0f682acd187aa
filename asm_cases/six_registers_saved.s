#@ title: All callee-saved registers saved and destroyed
# Six words, of which the rows name one: rbp. The other five count for the CFA only.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1111
        mov ebx, 0x2222
        mov r12d, 0x3333
        call busy
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

busy:   .cfi_startproc
        push r15
        .cfi_def_cfa_offset 16
        .cfi_offset r15, -16
        push r14
        .cfi_def_cfa_offset 24
        .cfi_offset r14, -24
        push r13
        .cfi_def_cfa_offset 32
        .cfi_offset r13, -32
        push r12
        .cfi_def_cfa_offset 40
        .cfi_offset r12, -40
        #@ row: CFA=rsp+40 RA=*(CFA-8)
        push rbp
        .cfi_def_cfa_offset 48
        .cfi_offset rbp, -48
        push rbx
        .cfi_def_cfa_offset 56
        .cfi_offset rbx, -56
        #@ stack: busy _start*
        #@ row: CFA=rsp+56 RA=*(CFA-8) FP=*(CFA-48)
        xor ebx, ebx
        xor ebp, ebp
        xor r12d, r12d
        xor r13d, r13d
        xor r14d, r14d
        xor r15d, r15d
        call leaf
        #@ stack: busy _start*
        pop rbx
        .cfi_def_cfa_offset 48
        pop rbp
        .cfi_def_cfa_offset 40
        .cfi_restore rbp
        #@ row: CFA=rsp+40 RA=*(CFA-8)
        pop r12
        .cfi_def_cfa_offset 32
        pop r13
        .cfi_def_cfa_offset 24
        pop r14
        .cfi_def_cfa_offset 16
        pop r15
        .cfi_def_cfa_offset 8
        #@ stack: busy _start*
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf busy _start*
        #@ verdict: 1 ok
        ret
        .cfi_endproc
