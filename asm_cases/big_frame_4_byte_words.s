#@ title: A frame of 128 KiB: offsets in words of four bytes
# Both the CFA and the saved rbp are further away than 16 bits reach.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call huge
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

huge:   .cfi_startproc
        sub rsp, 0x20000
        .cfi_def_cfa_offset 0x20008
        mov [rsp], rbp
        .cfi_offset rbp, -0x20008
        #@ stack: huge _start*
        #@ row: CFA=rsp+131080 RA=*(CFA-8) FP=*(CFA-131080)
        mov ebp, 7
        call leaf
        #@ stack: huge _start*
        mov rbp, [rsp]
        .cfi_restore rbp
        #@ row: CFA=rsp+131080 RA=*(CFA-8)
        add rsp, 0x20000
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf huge _start*
        ret
        .cfi_endproc
