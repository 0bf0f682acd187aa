#@ title: A call made of a push and a jump
# Whoever prepares the return address by hand can have the callee return anywhere. It is a call
# once control comes back through the pushed word; until then checks are made both ways.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call caller
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

caller: .cfi_startproc
        sub rsp, 8
        .cfi_def_cfa_offset 16
        lea rax, [rip+.Lback]
        push rax
        .cfi_def_cfa_offset 24
        #@ stack: caller _start*
        mov edi, 7
        jmp work
        .cfi_def_cfa_offset 16
        ud2
.Lback: #@ stack: caller _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work caller _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        call deeper
        #@ stack: work caller _start*
        ret
        .cfi_endproc

deeper: .cfi_startproc
        #@ stack: deeper work caller _start*
        ret
        .cfi_endproc
