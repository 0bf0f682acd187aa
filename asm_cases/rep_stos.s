#@ title: A string instruction that clears the frame
# The processor stops in the middle of it for an interrupt: the same instruction is seen again and
# again with the same stack.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call clears
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

clears: .cfi_startproc
        sub rsp, 72
        .cfi_def_cfa_offset 80
        mov rdi, rsp
        mov ecx, 9
        xor eax, eax
        #@ stack: clears _start*
        #@ row: CFA=rsp+80 RA=*(CFA-8)
        rep stosq
        #@ stack: clears _start*
        add rsp, 72
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
