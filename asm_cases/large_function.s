#@ title: A function of more than 255 bytes: row starts of two bytes
# The width follows from the size of the function and holds for all its rows, the early ones too.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call large
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

large:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        jmp .Lend
        .skip 300, 0x90
.Lend:  #@ stack: large _start*
        pop rbx
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
