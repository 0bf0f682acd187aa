#@ title: A frame of 4 KiB: offsets in words of two bytes
# CFA = rsp+4104 does not fit in a signed byte; only that row uses the wider word.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call big
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

big:    .cfi_startproc
        sub rsp, 4096
        .cfi_def_cfa_offset 4104
        #@ stack: big _start*
        #@ row: CFA=rsp+4104 RA=*(CFA-8)
        mov byte ptr [rsp], 1
        call leaf
        #@ stack: big _start*
        add rsp, 4096
        .cfi_def_cfa_offset 8
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf big _start*
        ret
        .cfi_endproc
