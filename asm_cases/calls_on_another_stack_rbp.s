#@ title: A function that calls on a stack in its caller's array, and comes back with leave
#@ findings: 0
# What inline assembly in a C function with a frame pointer comes to. The array lies above the
# frame: only rbp leads back, and `leave` is the way there.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        sub rsp, 4096
        lea rdi, [rsp+4080]
        call on_stack
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

on_stack:
        .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        sub rsp, 32
        mov rsp, rdi
        call work
        #@ stack: on_stack*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        #@ verdict: 0 unsettled
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        #@ stack: on_stack _start*
        #@ verdict: 0 ok
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work on_stack*
        #@ verdict: 0 ok
        call deeper
        ret
        .cfi_endproc

deeper: .cfi_startproc
        #@ stack: deeper work on_stack*
        #@ verdict: 2 unsettled
        ret
        .cfi_endproc
