#@ title: Stack realignment below the topmost frame: the kernel gives up
#@ findings: 1
# The row needs *(rbp+0) although rbp was recovered. The kernel uses register rules only in the
# topmost frame, so every walk from `leaf` ends at `realign`, with a table that is right.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0
        call realign
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

realign:
        .cfi_startproc
        lea r10, [rsp+8]
        .cfi_def_cfa r10, 0
        and rsp, -64
        push qword ptr [r10-8]
        push rbp
        mov rbp, rsp
        .cfi_escape 0x10, 6, 2, 0x76, 0
        push r10
        .cfi_escape 0x0f, 3, 0x76, 0x78, 6
        sub rsp, 104
        call leaf
        #@ stack: realign _start*
        mov r10, [rbp-8]
        .cfi_def_cfa r10, 0
        mov rbp, [rbp]
        .cfi_restore rbp
        lea rsp, [r10-8]
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf realign _start*
        #@ verdict: 1 refused
        nop
        ret
        .cfi_endproc
