#@ title: The CFA in rbx
# Any register can hold the CFA in a flexible FDE; the kernel reads it in the topmost frame.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call based
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

based:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        lea rbx, [rsp-184]
        .cfi_def_cfa rbx, 200
        and rsp, -256
        #@ stack: based _start*
        #@ row: CFA=rbx+200 RA=*(CFA-8)
        nop
        lea rsp, [rbx+184]
        .cfi_def_cfa rsp, 16
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
