#@ title: enter with a nesting level
# Pascal's display: a copy of the frame pointer lies between rbp and the locals. One instruction
# does all; no row is needed in between.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call nested
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

nested: .cfi_startproc
        enter 32, 1
        .cfi_def_cfa rbp, 16
        .cfi_offset rbp, -16
        #@ stack: nested _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        mov rax, [rbp-8]
        call leaf
        #@ stack: nested _start*
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf nested _start*
        ret
        .cfi_endproc
