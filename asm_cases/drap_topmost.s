#@ title: gcc's stack realignment, as long as it is the topmost frame
#@ findings: 2
# The CFA is first in r10, then in memory: CFA = *(rbp-8), FP = *(rbp+0). gcc leaves the FP rule in
# place after `leave`: for two instructions fp comes out wrong while pc and sp are right.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        lea rbp, [rip+value]
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
        #@ row: CFA=r10+0 RA=*(CFA-8)
        and rsp, -64
        #@ stack: realign _start*
        push qword ptr [r10-8]
        push rbp
        mov rbp, rsp
        .cfi_escape 0x10, 6, 2, 0x76, 0
        #@ row: CFA=r10+0 RA=*(CFA-8) FP=*(rbp+0)
        push r10
        .cfi_escape 0x0f, 3, 0x76, 0x78, 6
        #@ stack: realign _start*
        #@ row: CFA=*(rbp-8) RA=*(CFA-8) FP=*(rbp+0)
        sub rsp, 104
        mov r10, [rbp-8]
        .cfi_def_cfa r10, 0
        leave
        #@ stack: realign _start*
        #@ row: CFA=r10+0 RA=*(CFA-8) FP=*(rbp+0)
        #@ verdict: 0 wrong fp
        lea rsp, [r10-8]
        .cfi_def_cfa rsp, 8
        #@ verdict: 0 wrong fp
        ret
        .cfi_endproc

        .section .rodata
        .balign 8
value:   .quad 0x5555
