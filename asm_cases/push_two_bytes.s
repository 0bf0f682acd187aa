#@ title: A push of two bytes
# CFA = rsp+10: an odd offset, and right. What the kernel wants aligned is the CFA, not rsp.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call pushes
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

pushes: .cfi_startproc
        push ax
        .cfi_def_cfa_offset 10
        #@ stack: pushes _start*
        #@ row: CFA=rsp+10 RA=*(CFA-8)
        pop ax
        .cfi_def_cfa_offset 8
        #@ stack: pushes _start*
        ret
        .cfi_endproc
