#@ title: Two functions that jump to each other
# A loop written as calls: four functions have run, yet the stack never has more than two frames.
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 3
        call even
        #@ stack: _start*
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc

even:   .cfi_startproc
        #@ stack: even _start*
        #@ stack: even _start*
        test edi, edi
        je .Ldone
        dec edi
        jmp odd
.Ldone: ret
        .cfi_endproc

odd:    .cfi_startproc
        #@ stack: odd _start*
        #@ stack: odd _start*
        test edi, edi
        je .Lover
        dec edi
        jmp even
.Lover: #@ stack: odd _start*
        ret
        .cfi_endproc
