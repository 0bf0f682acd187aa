#@ title: alloca in a loop, page by page
# rsp sinks by more than a frame in each round; the row with the CFA on rbp needs no change.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call grows
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

grows:  .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        mov ecx, 4
.Lagain:
        sub rsp, 4096
        or qword ptr [rsp], 0
        #@ stack: grows _start*
        #@ row: CFA=rbp+16 RA=*(CFA-8) FP=*(CFA-16)
        call leaf
        dec ecx
        jne .Lagain
        #@ stack: grows _start*
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf grows _start*
        ret
        .cfi_endproc
