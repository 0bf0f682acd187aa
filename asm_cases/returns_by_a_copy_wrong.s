#@ title: A table wrong on purpose: the copy of a return address, missed by a word
#@ findings: 2
# As returns_by_a_copy.s, but the CFI changes to a word that is not the copy, and never to the copy.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebx, 3
.Lagain:
        call caller
        #@ stack: _start*
        dec ebx
        jnz .Lagain
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

caller: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 128
        mov rdi, rsp
        call moves
        #@ stack: caller _start*
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc

# rdi: the memory; 96 bytes above are for the frame
moves:  .cfi_startproc
        #@ stack: moves caller _start*
        mov r10, [rsp]
        lea rax, [rdi+96]
        mov [rax], rbp
        mov [rax+8], r10
        mov rbp, rax
        .cfi_def_cfa rbp, 24
        .cfi_offset rbp, -24
        #@ stack: moves caller _start*
        #@ row: CFA=rbp+24 RA=*(CFA-8) FP=*(CFA-24)
        #@ verdict: 0 wrong pc
        mov r10d, 0
        lea rsp, [rdi+64]
        #@ stack: moves caller _start*
        #@ verdict: 0 wrong pc
        call work
        #@ verdict: 0 wrong pc
        mov rsp, rbp
        #@ verdict: 0 wrong pc
        pop rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        #@ stack: moves caller _start*
        #@ verdict: 0 ok
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work moves caller _start*
        #@ verdict: 1 wrong pc
        #@ verdict: 2 ok
        push rbx
        .cfi_def_cfa_offset 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
