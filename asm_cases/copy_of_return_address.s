#@ title: A table wrong on purpose: the copy of a return address that is not returned by
#@ findings: 2
# gcc's functions with a realigned stack push a copy of their return address beside the saved rbp, for
# debuggers that follow frame pointers, and return by the first word. A row that names the copy
# finds the caller's pc and rbp, but not its rsp.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call realigned
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

realigned:
        .cfi_startproc
        lea r10, [rsp+8]
        .cfi_def_cfa r10, 0
        and rsp, -32
        push [r10-8]
        push rbp
        .cfi_def_cfa rsp, 16
        .cfi_offset rbp, -16
        #@ stack: realigned _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        #@ verdict: 0 wrong sp
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        #@ verdict: 0 wrong sp
        push r10
        #@ verdict: 0 wrong sp
        call work
        #@ verdict: 0 wrong sp
        pop r10
        .cfi_def_cfa r10, 0
        .cfi_offset rbp, -16
        #@ stack: realigned _start*
        pop rbp
        .cfi_restore rbp
        lea rsp, [r10-8]
        .cfi_def_cfa rsp, 8
        #@ stack: realigned _start*
        ret
        .cfi_endproc

work:   .cfi_startproc
        #@ stack: work realigned _start*
        #@ verdict: 1 wrong sp
        ret
        .cfi_endproc
