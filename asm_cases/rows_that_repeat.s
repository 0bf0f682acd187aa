#@ title: The same two rows again and again
# Rows are not shared: each push and each pop costs one, though only two different ones exist.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call bounces
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

bounces:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        push rax
        .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rax
        .cfi_def_cfa_offset 8
        push rcx
        .cfi_def_cfa_offset 16
        pop rcx
        .cfi_def_cfa_offset 8
        push rdx
        .cfi_def_cfa_offset 16
        #@ stack: bounces _start*
        pop rdx
        .cfi_def_cfa_offset 8
        #@ stack: bounces _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
