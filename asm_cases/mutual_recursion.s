#@ title: Two functions that call each other, without frames
# Nothing but return addresses on the stack: every word is one.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 4
        call even
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

even:   .cfi_startproc
        #@ stack: even _start*
        #@ stack: even odd even _start*
        #@ stack: even odd even odd even _start*
        test edi, edi
        jz .Leven
        dec edi
        call odd
.Leven: ret
        .cfi_endproc

odd:    .cfi_startproc
        #@ stack: odd even
        test edi, edi
        jz .Lodd
        dec edi
        call even
.Lodd:  ret
        .cfi_endproc
