#@ title: rsp changes places with a register
# xchg is the shortest switch to another stack, and back. What runs there is nobody's callee; a leaf
# that only borrows the memory leads back by rax.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rax, [rip+stack_top]
        call pivots
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

pivots: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rax
        #@ stack: pivots _start*
        xchg rsp, rbp
        .cfi_def_cfa_register rbp
        #@ stack: pivots*
        #@ verdict: 0 unsettled
        call leaf
        #@ stack: pivots*
        #@ verdict: 0 unsettled
        xchg rbp, rsp
        .cfi_def_cfa_register rsp
        #@ stack: pivots _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ stack: pivots _start*
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf pivots*
        ret
        .cfi_endproc

        .bss
        .balign 16
        .skip 256
stack_top:
        .skip 8
