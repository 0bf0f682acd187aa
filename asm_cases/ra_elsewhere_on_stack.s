#@ title: The return address copied to another slot
# RA = *(CFA-32): a flexible FDE, although every rule is relative to the CFA.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call moves
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

moves:  .cfi_startproc
        sub rsp, 24
        .cfi_def_cfa_offset 32
        mov rax, [rsp+24]
        mov [rsp], rax
        .cfi_offset rip, -32
        #@ stack: moves _start*
        #@ row: CFA=rsp+32 RA=*(CFA-32)
        nop
        .cfi_offset rip, -8
        add rsp, 24
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
