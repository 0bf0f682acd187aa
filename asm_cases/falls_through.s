#@ title: A function that runs on into the next one
# Control passes from one FDE to another without any branch; the second one has no entry row.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call prologue
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

prologue:
        .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        #@ stack: prologue _start*
        nop
        .cfi_endproc
body:   .cfi_startproc
        .cfi_def_cfa_offset 16
        #@ stack: body _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
