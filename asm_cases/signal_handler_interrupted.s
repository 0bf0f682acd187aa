#@ title: A signal handler interrupted by another signal
# Two interruptions in one stack, two frames without rows; both must be returned from in order.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 10
        mov esi, offset outer_action
        call install
        mov edi, 12
        mov esi, offset inner_action
        call install
        mov esi, 10
        call raise
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

install:
        .cfi_startproc
        mov r10d, 8
        xor edx, edx
        mov eax, 13
        syscall
        ret
        .cfi_endproc

raise:  .cfi_startproc
        mov eax, 39
        syscall
        mov edi, eax
        mov eax, 62
        syscall
        #@ stack: raise outer ?restorer raise _start*
        #@ stack: raise _start*
        ret
        .cfi_endproc

outer:  .cfi_startproc
        sub rsp, 8
        .cfi_def_cfa_offset 16
        mov esi, 12
        #@ stack: outer ?restorer raise _start*
        call raise
        #@ stack: outer ?restorer raise _start*
        add rsp, 8
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

inner:  .cfi_startproc
        #@ stack: inner ?restorer raise outer ?restorer raise _start*
        ret
        .cfi_endproc
        nop
restorer:
        #@ stack: ?restorer raise outer ?restorer raise _start*
        #@ stack: ?restorer raise _start*
        mov eax, 15
        syscall

        .data
        .balign 8
outer_action: .quad outer, 0x04000000, restorer, 0
inner_action: .quad inner, 0x04000000, restorer, 0
