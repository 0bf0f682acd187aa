#@ title: rbp as a general register
# -fomit-frame-pointer: rbp holds data, a frame pointer walk would follow it into the void. The row
# finds the caller's value in its slot.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov rbp, rsp
        call counts
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

counts: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        xor ebp, ebp
        #@ stack: counts _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        call leaf
        inc ebp
        #@ stack: counts _start*
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf counts _start*
        ret
        .cfi_endproc
