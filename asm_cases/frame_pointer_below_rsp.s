#@ title: A frame pointer below rsp
#@ findings: 1
# CFA = rbp+144 is true, but the kernel takes a frame pointer below the stack pointer for damage.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call biased
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

biased: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        lea rbp, [rsp-128]
        .cfi_def_cfa rbp, 144
        #@ stack: biased _start*
        #@ row: CFA=rbp+144 RA=*(CFA-8) FP=*(CFA-16)
        #@ verdict: 0 refused
        nop
        sub rsp, 128
        #@ verdict: 0 ok
        mov rax, [rbp]
        lea rsp, [rbp+128]
        #@ verdict: 0 refused
        pop rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
