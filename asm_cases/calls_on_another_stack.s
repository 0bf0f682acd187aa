#@ title: A function that calls on another stack and comes back
#@ findings: 0
# By the rules a stack begins where rsp was moved to. The rows of this function lead back to the
# one it came from, which is where it will return: they are not called wrong, but unsettled.
# Below the top the kernel could not use them anyway, as it does not know rbx there.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call on_other_stack
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

on_other_stack:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        mov rbx, rsp
        .cfi_def_cfa_register rbx
        #@ stack: on_other_stack _start*
        #@ verdict: 0 ok
        lea rsp, [rip+stack_top]
        #@ stack: on_other_stack*
        #@ row: CFA=rbx+16 RA=*(CFA-8)
        #@ verdict: 0 unsettled
        call work
        #@ stack: on_other_stack*
        #@ verdict: 0 unsettled
        mov rsp, rbx
        .cfi_def_cfa_register rsp
        #@ stack: on_other_stack _start*
        #@ verdict: 0 ok
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work on_other_stack*
        #@ verdict: 0 ok
        #@ verdict: 1 unsettled
        ret
        .cfi_endproc

        .bss
        .balign 16
stack:  .skip 4096
stack_top:
        .skip 8
