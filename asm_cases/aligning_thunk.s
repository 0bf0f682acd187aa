#@ title: A thunk that realigns the stack around a call
# The smallest frame that calls: one word of padding between two return addresses.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ebp, 0x1234
        call thunk
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

thunk:  .cfi_startproc
        sub rsp, 8
        .cfi_def_cfa_offset 16
        call target
        #@ stack: thunk _start*
        #@ row: CFA=rsp+16 RA=*(CFA-8)
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

target: .cfi_startproc
        #@ stack: target thunk _start*
        ret
        .cfi_endproc
