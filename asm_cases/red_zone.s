#@ title: A leaf that keeps its locals below rsp
# 128 bytes below rsp belong to a leaf function. rsp never moves, one row is enough.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leaf
        #@ stack: _start*
        lea edi, [rax-5]
        mov eax, 60
        syscall
        .cfi_endproc

leaf:   .cfi_startproc
        mov dword ptr [rsp-4], 2
        mov dword ptr [rsp-128], 3
        #@ stack: leaf _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        mov eax, [rsp-4]
        add eax, [rsp-128]
        ret
        .cfi_endproc
