#@ title: An assembler defect: the offset of a return address cut to one byte
#@ sframe: narrow-ra
#@ findings: 1
# GNU as 2.47 does not consider this offset when it chooses the word size: CFA-200 becomes CFA+56.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        sub rsp, 128
        call copies
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

copies: .cfi_startproc
        sub rsp, 72
        .cfi_def_cfa_offset 80
        mov rax, [rsp+72]
        mov [rsp-120], rax
        .cfi_offset rip, -200
        #@ stack: copies _start*
        #@ row: CFA=rsp+80 RA=*(CFA+56)
        #@ verdict: 0 wrong pc
        nop
        .cfi_offset rip, -8
        add rsp, 72
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
