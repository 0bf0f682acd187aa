#@ title: rsp walks through a table of function pointers
#@ findings: 0
# pop as the shortest load: rsp is no stack meanwhile. The word it first points to is code, so by
# the rules of a switch a stack could begin with it. The rows lead to the caller by rax: unsettled.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call sum
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

sum:    .cfi_startproc
        mov rax, rsp
        .cfi_def_cfa_register rax
        #@ stack: sum _start*
        lea rsp, [rip+table]
        #@ row: CFA=rax+8 RA=*(CFA-8)
        #@ verdict: 0 unsettled
        pop rcx
        #@ stack: sum*
        #@ verdict: 0 unsettled
        pop rdx
        xor ecx, ecx
        mov rsp, rax
        .cfi_def_cfa_register rsp
        #@ stack: sum _start*
        #@ verdict: 0 ok
        ret
        .cfi_endproc

        .data
        .balign 8
table:  .quad sum, _start
