#@ title: The slot of rbp at the end of one byte and beyond
# -128 fits into a byte, -136 does not; here the offset of rbp decides about the width, not the CFA.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call stores
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stores: .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        mov [rsp-96], rbp
        .cfi_offset rbp, -128
        xor ebp, ebp
        #@ stack: stores _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8) FP=*(CFA-128)
        mov rbp, [rsp-96]
        .cfi_restore rbp
        mov [rsp-104], rbp
        .cfi_offset rbp, -136
        xor ebp, ebp
        #@ stack: stores _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8) FP=*(CFA-136)
        mov rbp, [rsp-104]
        .cfi_restore rbp
        add rsp, 24
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
