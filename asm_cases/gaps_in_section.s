#@ title: Unused bytes before, between and behind the tables
#@ sframe: gap-before-fdes, gap-before-fres, trailing
# Only the offsets in the header say where index and rows begin; a reader must not guess.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        push rbx
        .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
