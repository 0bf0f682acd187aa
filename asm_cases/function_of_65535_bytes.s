#@ title: A function of 65,535 bytes
# The largest whose rows have start offsets of two bytes; the last one begins at the last byte.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call widest
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

        .type widest, @function
widest: .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        jmp .Llast
        .skip 65535-8, 0xcc
.Llast:
        #@ stack: widest _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
        .size widest, 65535
