#@ title: A function in two parts, hot and cold
# gcc moves unlikely code away: a jump into an FDE whose first row is not that of an entry.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call hot
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

hot:    .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        #@ stack: hot _start*
        jmp hot.cold
.Lback: pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

hot.cold:
        .cfi_startproc
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        #@ stack: hot.cold _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        nop
        jmp .Lback
        .cfi_endproc
