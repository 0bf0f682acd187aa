#@ title: The epilogue in a routine of its own
# gcc -Os jumps to shared code that restores the registers and returns for the function. Its first
# row begins with a whole frame.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call worker
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

worker: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        .cfi_offset rbx, -24
        xor ebp, ebp
        #@ stack: worker _start*
        jmp restore_and_return
        .cfi_endproc

restore_and_return:
        .cfi_startproc
        .cfi_def_cfa_offset 24
        .cfi_offset rbp, -16
        .cfi_offset rbx, -24
        #@ stack: restore_and_return _start*
        #@ row: CFA=rsp+24 RA=*(CFA-8) FP=*(CFA-16)
        pop rbx
        .cfi_def_cfa_offset 16
        pop rbp
        .cfi_def_cfa_offset 8
        .cfi_same_value rbp
        #@ stack: restore_and_return _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc
