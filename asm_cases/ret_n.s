#@ title: A callee that takes its arguments off the stack
#@ findings: 2
# `ret 16` leaves rsp two words above slot + 8, and the row after the call says so. While `adds` runs
# the arguments are still there: an unwinder that looks up the return address itself, as SFrame
# consumers do, applies that row too early. One that looks up the byte before it is right.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call caller
        #@ stack: _start*
        lea edi, [rax-3]
        mov eax, 60
        syscall
        .cfi_endproc

caller: .cfi_startproc
        push 1
        .cfi_adjust_cfa_offset 8
        push 2
        .cfi_adjust_cfa_offset 8
        #@ row: CFA=rsp+24 RA=*(CFA-8)
        call adds
        .cfi_adjust_cfa_offset -16
        #@ stack: caller _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

adds:   .cfi_startproc
        #@ verdict: 1 wrong pc
        #@ verdict: 1 wrong sp
        mov eax, [rsp+8]
        add eax, [rsp+16]
        #@ stack: adds caller _start*
        ret 16
        .cfi_endproc
