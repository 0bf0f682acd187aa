#@ title: All callee-saved registers and a frame, with an early return
# What gcc makes of a big function: six pushes, a frame, remember_state around the early exit.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        xor edi, edi
        call heavy
        mov edi, 1
        call heavy
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

heavy:  .cfi_startproc
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
        push rbp
        .cfi_def_cfa_offset 48
        .cfi_offset rbp, -48
        push rbx
        .cfi_def_cfa_offset 56
        .cfi_offset rbx, -56
        sub rsp, 136
        .cfi_def_cfa_offset 192
        mov ebp, 5
        #@ stack: heavy _start*
        #@ row: CFA=rsp+192 RA=*(CFA-8) FP=*(CFA-48)
        test edi, edi
        jne .Lwork
.Lexit: add rsp, 136
        .cfi_remember_state
        .cfi_def_cfa_offset 56
        pop rbx
        .cfi_def_cfa_offset 48
        pop rbp
        .cfi_def_cfa_offset 40
        pop r12
        .cfi_def_cfa_offset 32
        pop r13
        .cfi_def_cfa_offset 24
        pop r14
        .cfi_def_cfa_offset 16
        pop r15
        .cfi_def_cfa_offset 8
        #@ stack: heavy _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=*(CFA-48)
        ret
.Lwork: .cfi_restore_state
        #@ row: CFA=rsp+192 RA=*(CFA-8) FP=*(CFA-48)
        call leaf
        #@ stack: heavy _start*
        jmp .Lexit
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf heavy _start*
        ret
        .cfi_endproc
