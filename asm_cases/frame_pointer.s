#@ title: A function with a frame pointer
# Four rows: at entry, after the push, with the CFA on rbp, and after leave. What -O0 emits.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call framed
        #@ stack: _start*
        mov edi, eax
        mov eax, 60
        syscall
        .cfi_endproc

framed: .cfi_startproc
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        #@ stack: framed _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8) FP=*(CFA-16)
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        sub rsp, 32
        mov dword ptr [rbp-4], 0
        call inner
        #@ stack: framed _start*
        mov eax, [rbp-4]
        leave
        .cfi_def_cfa rsp, 8
        #@ row: CFA=rsp+8 RA=*(CFA-8) FP=*(CFA-16)
        #@ stack: framed _start*
        ret
        .cfi_endproc

inner:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        #@ stack: inner framed _start*
        nop
        pop rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
