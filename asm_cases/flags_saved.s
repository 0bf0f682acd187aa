#@ title: pushfq and popfq move the stack too
# A word that is no register of the ABI; rows count it all the same.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call flags
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

flags:  .cfi_startproc
        pushfq
        .cfi_adjust_cfa_offset 8
        #@ stack: flags _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        std
        popfq
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
