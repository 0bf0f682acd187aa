#@ title: Remembered states one inside the other
#@ findings: 2
# .eh_frame nests remember_state and restore_state, GNU as keeps a single state for SFrame: after the
# second restore the row is that of the inner state.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call nests
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

nests:  .cfi_startproc
        nop
        .cfi_remember_state
        push rbx
        .cfi_def_cfa_offset 16
        nop
        .cfi_remember_state
        push rbx
        .cfi_def_cfa_offset 24
        #@ row: CFA=rsp+24 RA=*(CFA-8)
        pop rbx
        .cfi_restore_state
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_restore_state
        #@ stack: nests _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        #@ verdict: 0 wrong pc
        #@ verdict: 0 wrong sp
        ret
        .cfi_endproc
