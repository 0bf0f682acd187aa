#@ title: One branch makes a frame, the other does not
# Shrink-wrapping: the CFA is on rbp in one arm and on rsp in the other. The state must be restored
# where the code of the second arm stands, not where it is executed.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        mov edi, 1
        call wrapped
        #@ stack: _start*
        xor edi, edi
        call wrapped
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

wrapped:
        .cfi_startproc
        test edi, edi
        je .Lquick
        .cfi_remember_state
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 64
        #@ stack: wrapped _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        call leaf
        leave
        .cfi_def_cfa rsp, 8
        #@ stack: wrapped _start*
        ret
.Lquick:
        .cfi_restore_state
        #@ stack: wrapped _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        mov eax, edi
        #@ stack: wrapped _start*
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf wrapped _start*
        ret
        .cfi_endproc
