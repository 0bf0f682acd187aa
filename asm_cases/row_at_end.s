#@ title: CFI after the last instruction: a row that starts at the function's end
#@ findings: 1
# Nothing ever executes there, but the kernel reads the row while it searches for an earlier one
# and drops the section as soon as the search gets that far, here from the `jmp` on.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call tail
.Lback: mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

tail:   .cfi_startproc
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        #@ stack: tail _start*
        nop
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_restore rbp
        #@ verdict: 0 corrupt
        jmp second
        .cfi_def_cfa_offset 8
        .cfi_endproc

second: .cfi_startproc
        #@ stack: second _start*
        ret
        .cfi_endproc
