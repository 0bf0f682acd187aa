#@ title: Arguments pushed for a call, taken off by the caller
# adjust_cfa_offset around the call; the row at the return address is that of the pushed state.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call passes
        #@ stack: _start*
        lea edi, [rax-7]
        mov eax, 60
        syscall
        .cfi_endproc

passes: .cfi_startproc
        sub rsp, 8
        .cfi_adjust_cfa_offset 8
        push 3
        .cfi_adjust_cfa_offset 8
        push 4
        .cfi_adjust_cfa_offset 8
        call sums
        #@ stack: passes _start*
        #@ row: CFA=rsp+32 RA=*(CFA-8)
        add rsp, 24
        .cfi_adjust_cfa_offset -24
        ret
        .cfi_endproc

sums:   .cfi_startproc
        mov eax, [rsp+8]
        #@ stack: sums passes _start*
        add eax, [rsp+16]
        ret
        .cfi_endproc
