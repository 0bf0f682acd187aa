#@ title: gcc's inline retpoline: a call that never returns to its own return address
# The pushed address is overwritten with the jump's target. CFI counts the word as part of the
# frame, so the true stack must not contain an entry for this call.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+target]
        call indirect
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

indirect:
        .cfi_startproc
        call .Lset
.Ltrap: pause
        lfence
        jmp .Ltrap
.Lset:  .cfi_def_cfa_offset 16
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        mov [rsp], rax
        #@ stack: indirect _start*
        ret
        .cfi_endproc

target: .cfi_startproc
        #@ stack: target _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        nop
        ret
        .cfi_endproc
