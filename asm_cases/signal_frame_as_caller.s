#@ title: A function marked as signal frame that merely calls
# The mark says that its pc is an instruction, not a return address. SFrame consumers look both up
# as they are, so here it changes nothing.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call marked
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

marked: .cfi_startproc
        .cfi_signal_frame
        sub rsp, 8
        .cfi_def_cfa_offset 16
        call leaf
        #@ stack: marked _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

leaf:   .cfi_startproc
        #@ stack: leaf marked _start*
        #@ verdict: 1 ok
        ret
        .cfi_endproc
