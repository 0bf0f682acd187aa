#@ title: A frame that marks its return address undefined
# `.cfi_undefined rip` is how _start says that nobody called it; the row has no data words.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        #@ stack: _start*
        #@ row: RA undefined
        call leaf
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
