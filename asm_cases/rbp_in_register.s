#@ title: rbp kept in another register
# `.cfi_register rbp, rcx` makes the FDE flexible: FP = rcx, without a load.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call parks
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

parks:  .cfi_startproc
        mov rcx, rbp
        .cfi_register rbp, rcx
        xor ebp, ebp
        #@ stack: parks _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=rcx+0
        inc ebp
        mov rbp, rcx
        .cfi_same_value rbp
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
