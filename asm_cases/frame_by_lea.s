#@ title: Frames made and removed with lea
# lea leaves the flags alone, so some compilers use it where others write sub and add.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leas
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leas:   .cfi_startproc
        lea rsp, [rsp-40]
        .cfi_def_cfa_offset 48
        #@ stack: leas _start*
        #@ row: CFA=rsp+48 RA=*(CFA-8)
        call leaf
        #@ stack: leas _start*
        lea rsp, [rsp+40]
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf leas _start*
        ret
        .cfi_endproc
