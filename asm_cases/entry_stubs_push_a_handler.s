#@ title: Entry stubs that push the address of their handler
# Interrupt stubs look like this: the pushed word is code, but no return address. The common part
# counts it as part of its frame and takes it off again: there was no call.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call stub
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

stub:   .cfi_startproc
        lea rax, [rip+handler]
        push rax
        .cfi_def_cfa_offset 16
        jmp common
        .cfi_endproc

common: .cfi_startproc
        .cfi_def_cfa_offset 16
        push rbp
        .cfi_def_cfa_offset 24
        .cfi_offset rbp, -24
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-24)
        call [rsp+8]
        pop rbp
        .cfi_def_cfa_offset 16
        .cfi_restore rbp
        add rsp, 8
        .cfi_def_cfa_offset 8
        #@ stack: common _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        xor eax, eax
        ret
        .cfi_endproc

handler:
        .cfi_startproc
        xor ecx, ecx
        ret
        .cfi_endproc
