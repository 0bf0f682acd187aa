#@ title: rsp pushed and popped
# Writes rsp with a word from memory, and yet it is no switch: the value is where the frame was.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call pops
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

pops:   .cfi_startproc
        push rsp
        .cfi_def_cfa_offset 16
        #@ stack: pops _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rsp
        .cfi_def_cfa_offset 8
        #@ stack: pops _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
