#@ title: rbp saved in the red zone
# FP = *(CFA-16) reads below rsp. Legal in a leaf, and the row is right as long as no signal comes.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1111
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        mov [rsp-8], rbp
        .cfi_offset rbp, -16
        xor ebp, ebp
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=*(CFA-16)
        mov rbp, [rsp-8]
        .cfi_restore rbp
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
