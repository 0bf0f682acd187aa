#@ title: A function of more than 65535 bytes: row starts of four bytes
# Machine-made interpreters and tables of inlined cases reach this size.
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
        push rbx
        .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        jmp .Lend
        .skip 0x10000, 0x90
.Lend:  #@ stack: huge _start*
        pop rbx
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
